/** One module as the architecture tests see it. */
export interface Module {
  /** Where it is, from the root of the repository: `loop/mod.ts`. */
  readonly path: string;
  /** Its text without the comments. */
  readonly code: string;
  /** How many lines it has, comments included. */
  readonly lines: number;
  /** What it imports and re-exports, and the modules it names for a `Worker`. */
  readonly imports: readonly Import[];
  /** The names it exports, types included. */
  readonly exports: readonly string[];
  /** The specifiers of which it exports everything: `export * from`. */
  readonly exportsAllOf: readonly string[];
}

/** One place where a module names another. */
export interface Import {
  readonly specifier: string;
  /** Whether it is an `import type` statement, of which nothing is left at run time. */
  readonly typeOnly: boolean;
}

/**
 * Reads what the architecture tests need to know out of a module's source.
 *
 * Deno's own parser does it, by way of the lint plugin API: a search by regular expressions would be
 * misled by comments, templates and regular expressions. That API exists under `deno test` only.
 *
 * @param path The path of the module, from the root of the repository.
 * @param source The text of the module.
 * @returns The module.
 */
export function parseModule(path: string, source: string): Module {
  const imports: Import[] = [];
  const exports: string[] = [];
  const exportsAllOf: string[] = [];
  let code = source;
  const add = (node: { type: string } | null | undefined, typeOnly = false) => {
    if (isStringLiteral(node)) imports.push({ specifier: node.value, typeOnly });
  };

  const visit = (context: Deno.lint.RuleContext): Deno.lint.LintVisitor => ({
    Program() {
      code = withoutComments(source, context.sourceCode.getAllComments());
    },
    ImportDeclaration(node) {
      add(node.source, node.importKind === "type");
    },
    ImportExpression(node) {
      add(node.source);
    },
    TSImportType(node) {
      const argument = node.argument;
      if (argument.type === "TSLiteralType") add(argument.literal);
    },
    NewExpression(node) {
      const [first, second] = node.arguments;
      const isUrl = node.callee.type === "Identifier" && node.callee.name === "URL";
      // `new URL("./worker.ts", import.meta.url)` is how a module names one to run in a Worker.
      if (isUrl && second !== undefined && isStringLiteral(first) && first.value.endsWith(".ts")) {
        add(first);
      }
    },
    ExportAllDeclaration(node) {
      add(node.source);
      if (node.exported) exports.push(node.exported.name);
      else exportsAllOf.push(node.source.value);
    },
    ExportNamedDeclaration(node) {
      add(node.source);
      exports.push(...node.specifiers.map(({ exported }) => nameOf(exported)));
      if (node.declaration) exports.push(...declaredNames(node.declaration));
    },
  });
  Deno.lint.runPlugin(
    { name: "architecture", rules: { read: { create: visit } } },
    path,
    source,
  );
  const lines = source.split("\n").length - (source.endsWith("\n") ? 1 : 0);
  return { path, code, lines, imports, exports, exportsAllOf };
}

function isStringLiteral(
  node: { type: string } | null | undefined,
): node is Deno.lint.StringLiteral {
  return node?.type === "Literal" && "value" in node && typeof node.value === "string";
}

function withoutComments(
  source: string,
  comments: readonly { range: readonly [number, number] }[],
): string {
  let code = "";
  let end = 0;
  for (const { range } of comments) {
    // A space, so that what stood on both sides of the comment stays two words.
    code += source.slice(end, range[0]) + " ";
    end = range[1];
  }
  return code + source.slice(end);
}

function nameOf(node: Deno.lint.Identifier | Deno.lint.StringLiteral): string {
  return node.type === "Identifier" ? node.name : node.value;
}

function declaredNames(
  declaration: NonNullable<Deno.lint.ExportNamedDeclaration["declaration"]>,
): string[] {
  if (declaration.type === "VariableDeclaration") {
    return declaration.declarations.flatMap(({ id }) => id.type === "Identifier" ? [id.name] : []);
  }
  const id = "id" in declaration ? declaration.id : null;
  return id?.type === "Identifier" ? [id.name] : [];
}
