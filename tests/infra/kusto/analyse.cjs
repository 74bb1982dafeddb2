// Reads {"tables": {name: "(column: type, ...)"}, "queries": [text, ...]} from standard input and answers with a list of
// complaints for each query. https://github.com/microsoft/Kusto-Query-Language

// The library is C# made into JavaScript: both files put their names into the global object.
require("@kusto/language-service-next/bridge.min.js");
require("@kusto/language-service-next/Kusto.Language.Bridge.min.js");

const { KustoCode, GlobalState, Symbols } = globalThis.Kusto.Language;
const { tables, queries } = JSON.parse(require("node:fs").readFileSync(0, "utf8"));

// Which of the overloads is meant stands in the library's Kusto.Language.Bridge.d.ts.
const symbols = Object.entries(tables).map(([name, columns]) => new Symbols.TableSymbol.$ctor7(name, columns, ""));
const database = new Symbols.DatabaseSymbol.$ctor1("workspace", symbols, false);
const globals = GlobalState.Default.WithDatabase(database);

function complaints(query) {
  const found = KustoCode.ParseAndAnalyze(query, globals).GetDiagnostics();
  return Array.from({ length: found.Count }, (_, i) => found.getItem(i)).map(
    (each) => `${each.Severity} ${each.Code} at ${each.Start}: ${each.Message}`,
  );
}

process.stdout.write(JSON.stringify(queries.map(complaints)));
