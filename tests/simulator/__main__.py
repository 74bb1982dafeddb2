from .simulation import simulate
import sys, time
for seed in range(int(sys.argv[1]), int(sys.argv[2])):
    t=time.time()
    v = simulate(seed)
    print(seed, f"{time.time()-t:.2f}", v.requests, v.digest[:8], dict(v.changes), [str(b) for b in v.broken])
    if len(sys.argv)>3: print("\n".join(v.lines))
