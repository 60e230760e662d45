// What an app sees of the packages: the list in docs/API.md, which is read from the types as they are installed. A member that is not in
// it has leaked, or is new: then `npx vitest run test/packaging -u` writes it, and the difference is to be looked at.
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { beforeAll, describe, expect, test } from 'vitest';
import { everything, packageNames, packages, scoped } from './packages';

const list = fileURLToPath(new URL('../../docs/API.md', import.meta.url));

const intro = `# What the packages export

Names of what can be imported, and of the members of each type: what is not here is not for apps, and may change without notice. What each
does, the types themselves say, in any editor. \`@halyard/protocol\` and \`@halyard/codec/internal\` are for those who write codecs, hosts and
tools. This list is made from the packages as they are published, and a test holds them to it.
`;

/** They only name parts of types that can be imported. */
const parts = new Set([
  ...['ChangeTo', 'Falsy', 'Handler', 'Keyed', 'LogLimits'],
  ...[
    'ArgAt',
    'Args',
    'EventsOf',
    'Flat',
    'GuardedArgs',
    'Inputs',
    'IsUnion',
    'Merged',
    'Outputs',
    'ReplyInput',
    'ReplyOutput',
    'Trailing',
  ],
  ...['NumberName', 'NumberOptions', 'Published', 'WholeTarget', 'kinds', 'numbers', 'overSessionsPerKey'],
]);

interface Entry {
  /** As it is imported. */
  readonly path: string;
  readonly exports: readonly ts.Symbol[];
}

let checker: ts.TypeChecker;
let entries: readonly Entry[];

async function readEntries(): Promise<void> {
  const cwd = await everything();
  const paths = packageNames.flatMap((name) => {
    const { exports } = packages.manifest(scoped(name))!;
    return Object.entries(exports).flatMap(([path, entry]) =>
      typeof entry === 'string' ? [] : [path.replace('.', scoped(name))],
    );
  });
  const options: ts.CompilerOptions = {
    ...{ strict: true, noEmit: true, types: ['node'] },
    ...{ target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext },
  };
  const file = `${cwd}/all.ts`;
  const host = ts.createCompilerHost(options);
  const { getSourceFile } = host;
  const text = paths.map((path, i) => `import * as _${i} from '${path}';`).join('\n');
  host.getSourceFile = (name, ...rest) =>
    name === file ? ts.createSourceFile(name, text, ts.ScriptTarget.ES2022, true) : getSourceFile(name, ...rest);
  host.getCurrentDirectory = () => cwd;
  const program = ts.createProgram([file], options, host);
  checker = program.getTypeChecker();
  const imports = program.getSourceFile(file)!.statements.filter(ts.isImportDeclaration);
  entries = imports.map(({ moduleSpecifier }) => {
    const module = checker.getSymbolAtLocation(moduleSpecifier);
    if (module === undefined) throw new Error(`${moduleSpecifier.getText()} cannot be imported.`);
    const exports = checker.getExportsOfModule(module).map(resolved);
    const byName = (a: ts.Symbol, b: ts.Symbol) => (a.name < b.name ? -1 : 1);
    return { path: (moduleSpecifier as ts.StringLiteral).text, exports: exports.sort(byName) };
  });
  apis = entries.filter(({ path }) => path !== '@halyard/protocol');
}

/** Those of apps: the protocol's own are for codecs, hosts and tools. */
let apis: readonly Entry[];

function resolved(symbol: ts.Symbol): ts.Symbol {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

function isOurs(node: ts.Node): boolean {
  return node.getSourceFile().fileName.includes('/@halyard/');
}

/** @returns the names of its members; of text, numbers, lists and functions none, and none that a language or a library has given it */
function membersOf(type: ts.Type): string[] {
  const isPlain = !(type.flags & (ts.TypeFlags.Object | ts.TypeFlags.UnionOrIntersection));
  if (isPlain || checker.isArrayType(type) || checker.isTupleType(type) || type.getCallSignatures().length > 0)
    return [];
  if (type.isUnion() && type.types.some(({ flags }) => !(flags & ts.TypeFlags.Object))) return [];
  return type.getProperties().flatMap((member) => {
    const name = member.name.replace(/^__@(\w+)@\d+$/, '[Symbol.$1]');
    // One of a mapped type has none.
    const { declarations = [] } = member;
    if ((declarations.length > 0 && !declarations.some(isOurs)) || name.startsWith('#')) return [];
    const modifiers = declarations.map(ts.getCombinedModifierFlags);
    return modifiers.some((flags) => flags & ts.ModifierFlags.NonPublicAccessibilityModifier)
      ? [`${name} (not public)`]
      : [name];
  });
}

function lineOf(symbol: ts.Symbol): string {
  const { name, flags } = symbol;
  if (flags & ts.SymbolFlags.Function) return `- \`${name}()\``;
  const isType = flags & ts.SymbolFlags.Type;
  const type = isType ? checker.getDeclaredTypeOfSymbol(symbol) : checker.getTypeOfSymbol(symbol);
  const members = membersOf(type).sort();
  const kind = flags & ts.SymbolFlags.Class ? 'class ' : isType ? 'type ' : '';
  return `- ${kind}\`${name}\`${members.length > 0 ? `: ${members.map((member) => `\`${member}\``).join(', ')}` : ''}`;
}

describe('what an app sees', () => {
  beforeAll(readEntries);

  test('the types have the members that docs/API.md lists, and no others', async () => {
    const parts = entries.map(({ path, exports }) => `\n## ${path}\n\n${exports.map(lineOf).join('\n')}\n`);
    await expect(intro + parts.join('')).toMatchFileSnapshot(list);
  });

  test('no type has members that are not public', () => {
    expect(apis.flatMap(({ exports }) => exports.map(lineOf)).filter((line) => line.includes('(not public)'))).toEqual(
      [],
    );
  });

  test('no type leads to one of Halyard that cannot be imported', () => {
    const named = new Set(entries.flatMap(({ exports }) => exports));
    const seen = new Set<ts.Symbol>();
    const inner = new Set<string>();
    const visit = (symbol: ts.Symbol, from: string): void => {
      if (seen.has(symbol)) return;
      seen.add(symbol);
      const declarations = symbol.declarations?.filter(isOurs) ?? [];
      for (const declaration of declarations) {
        const isTopLevel = ts.isSourceFile(declaration.parent) || ts.isVariableDeclarationList(declaration.parent);
        if (isTopLevel && !named.has(symbol) && !parts.has(symbol.name)) inner.add(`${from} → ${symbol.name}`);
        if (isTopLevel) walk(declaration, symbol.name);
      }
    };
    const walk = (node: ts.Node, from: string): void => {
      if (ts.isIdentifier(node)) {
        const found = checker.getSymbolAtLocation(node);
        if (found !== undefined) visit(resolved(found), from);
      }
      ts.forEachChild(node, (child) => walk(child, from));
    };
    for (const { exports } of apis) for (const symbol of exports) visit(symbol, '');
    expect(named.size).toBeGreaterThan(100);
    expect([...inner].sort()).toEqual([]);
  });
});
