from .simulation import simulate
import sys, time
from collections import Counter
t0=time.time(); n=0; kinds=Counter(); req=0; struck=Counter(); ch=Counter()
for seed in range(int(sys.argv[1]), int(sys.argv[2])):
    t=time.time()
    v = simulate(seed); n+=1; req+=v.requests
    struck.update({k:1 for k in v.struck}); ch.update({k:1 for k in v.changes})
    if v.broken: kinds[v.broken[0].invariant]+=1
    if v.broken or time.time()-t>1.5: print(seed, f"{time.time()-t:.2f}", v.requests, dict(v.changes), len(v.broken), [str(b) for b in v.broken][:2])
    if len(sys.argv)>3: print("\n".join(v.lines))
print(n/(time.time()-t0), "seeds/s", req/n, kinds); print(struck); print(ch)
