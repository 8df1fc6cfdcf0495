/* Expressions over many points at once: the trees of playground/dynamics/systems/expression.py, as loops over arrays.

   Nothing is evaluated as code: a tree is a number, a name, or [operation, argument, …], and each operation is a loop
   that is written here. Numbers are doubles, as there. */

const unary = {
  neg: (a) => -a,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  abs: Math.abs,
  sign: Math.sign,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  cosq: (q) => (q >= 0 ? Math.cosh(Math.sqrt(q)) : Math.cos(Math.sqrt(-q))),
  sinq(q) {
    const root = Math.sqrt(Math.abs(q));
    if (root < 1e-4) return 1 + q / 6;
    return (q >= 0 ? Math.sinh(root) : Math.sin(root)) / root;
  },
};

const binary = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "^": (a, b) => (b === 2 ? a * a : b === 3 ? a * a * a : a ** b),
};

/** A loop of its own for each operation, so that each is compiled for itself. */
function looped(operation) {
  return {
    arrays(a, b, out, n) {
      for (let i = 0; i < n; i++) out[i] = operation(a[i], b[i]);
    },
    left(a, b, out, n) {
      for (let i = 0; i < n; i++) out[i] = operation(a[i], b);
    },
    right(a, b, out, n) {
      for (let i = 0; i < n; i++) out[i] = operation(a, b[i]);
    },
  };
}

const loops = Object.fromEntries(Object.entries({ ...unary, ...binary }).map(([name, act]) => [name, looped(act)]));

class Node {
  constructor(tree) {
    const [operation, ...parts] = tree;
    if (!Object.hasOwn(loops, operation)) throw new Error(`there is no operation "${operation}" here`);
    this.act = unary[operation] ?? binary[operation];
    this.loops = loops[operation];
    this.parts = parts.map(nodeOf);
    this.buffer = new Float64Array(0);
  }

  /** A number, or one for each of the n points; an array is overwritten by the next run. */
  run(values, n) {
    const a = valueOf(this.parts[0], values, n);
    const b = this.parts.length > 1 ? valueOf(this.parts[1], values, n) : 0;
    if (typeof a === "number" && typeof b === "number") return this.act(a, b);
    if (this.buffer.length < n) this.buffer = new Float64Array(n);
    const out = this.buffer;
    if (typeof b === "number") this.loops.left(a, b, out, n);
    else if (typeof a === "number") this.loops.right(a, b, out, n);
    else this.loops.arrays(a, b, out, n);
    return out;
  }
}

const nodeOf = (tree) => (Array.isArray(tree) ? new Node(tree) : tree);

function valueOf(node, values, n) {
  if (node instanceof Node) return node.run(values, n);
  if (typeof node === "number") return node;
  if (!Object.hasOwn(values, node)) throw new Error(`there is no value "${node}" here`);
  return values[node];
}

/** Trees that are run together. */
export class Program {
  constructor(trees) {
    this.nodes = trees.map(nodeOf);
  }

  /** Writes the value of tree j at point i to into[i · (number of trees) + j], times `scale`; `values` are numbers, or
      Float64Arrays of at least n numbers. */
  into(into, values, n, scale = 1) {
    const count = this.nodes.length;
    this.nodes.forEach((node, j) => {
      const found = valueOf(node, values, n);
      if (typeof found === "number") for (let i = 0; i < n; i++) into[i * count + j] = scale * found;
      else for (let i = 0; i < n; i++) into[i * count + j] = scale * found[i];
    });
    return into;
  }
}
