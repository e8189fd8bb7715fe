// The equation lens: which numbers made an element, and whether they add up to it.

// What made one element: `formula`, `terms` of two factors and their product each, called `names`, over
// the index `along`; `constant` is added. `sum` is what that comes to, `value` what the run has, `missing`
// how many terms the file lacks. Null for what no sum of products made.
function lensOf(node, value, index, step) {
  const at = (of, name) => viewOf(of, name, step);
  const { kind, readers } = doc.nodes[node];
  if (kind === "linear") {
    if (value === "output") return ofZ(node, index, at);
    if (value === "grad_params.W") return ofDW(node, index, at);
    if (value === "grad_params.b") return ofDb(node, index, at);
    if (value === "grad_inputs.0") return ofDA(node, index, at, at(node, "grad_inputs.0"));
  }
  if (value === "grad_output" && readers.length === 1 && doc.nodes[readers[0][0]].kind === "linear") {
    return ofDA(readers[0][0], index, at, at(node, "grad_output"));
  }
  return null;
}

// Whether there is an array of a node whose elements are such sums.
function hasLens(node) {
  const { kind, readers } = doc.nodes[node];
  return kind === "linear" || (readers.length === 1 && doc.nodes[readers[0][0]].kind === "linear");
}

// Products of two arrays along an axis; what is not in their samples is counted as missing.
function products(length, first, second) {
  const terms = [];
  for (let k = 0; k < length; k++) {
    const a = first(k);
    const b = second(k);
    if (a !== undefined && b !== undefined) terms.push({ k, a, b, product: a * b });
  }
  return terms;
}

function lens(shown, index, names, length, terms, more = {}) {
  const constant = more.constant ?? 0;
  const sum = accurateSum([...terms.map((term) => term.product), constant]);
  const value = shown.value(index);
  const missing = length - terms.length + (more.lost ?? 0);
  return { names, terms, value, sum, missing, constant: null, shared: false, ...more };
}

function layerOf(node) {
  return doc.layers.findIndex((layer) => layer.linear === node) + 1;
}

function ofZ(node, [i, j], at) {
  const [W, A, b, Z] = [at(node, "params.W"), at(node, "inputs.0"), at(node, "params.b"), at(node, "output")];
  if (!W || !A || !Z) return null;
  const l = layerOf(node);
  const terms = products(W.shape[1], (k) => W.value([i, k]), (k) => A.value([k, j]));
  const bias = b?.value([i, 0]);
  return lens(Z, [i, j], [`W[${i}, k]`, `A_prev[k, ${j}]`], W.shape[1], terms, {
    along: "k", formula: `Z[${i}, ${j}] = Σₖ W[${i}, k] · A_prev[k, ${j}]${b ? ` + b[${i}]` : ""}`, layer: l,
    constant: b ? bias ?? 0 : null, lost: b && bias === undefined ? 1 : 0,
  });
}

function ofDW(node, [i, k], at) {
  const [dZ, A, dW] = [at(node, "grad_output"), at(node, "inputs.0"), at(node, "grad_params.W")];
  if (!dZ || !A || !dW) return null;
  const m = dZ.shape[1];
  const terms = products(m, (j) => dZ.value([i, j]), (j) => A.value([k, j]));
  return lens(dW, [i, k], [`dZ[${i}, j]`, `A_prev[${k}, j]`], m, terms, {
    along: "j", formula: `dW[${i}, ${k}] = Σⱼ dZ[${i}, j] · A_prev[${k}, j]`, layer: layerOf(node), shared: isShared(node, "W"),
  });
}

function ofDb(node, [i], at) {
  const [dZ, db] = [at(node, "grad_output"), at(node, "grad_params.b")];
  if (!dZ || !db) return null;
  const m = dZ.shape[1];
  const terms = products(m, (j) => dZ.value([i, j]), () => 1);
  return lens(db, [i, 0], [`dZ[${i}, j]`, "1"], m, terms, {
    along: "j", formula: `db[${i}] = Σⱼ dZ[${i}, j]`, layer: layerOf(node), shared: isShared(node, "b"),
  });
}

function ofDA(linear, [k, j], at, shown) {
  const [W, dZ] = [at(linear, "params.W"), at(linear, "grad_output")];
  if (!W || !dZ || !shown) return null;
  const terms = products(W.shape[0], (i) => W.value([i, k]), (i) => dZ.value([i, j]));
  return lens(shown, [k, j], [`W[i, ${k}]`, `dZ[i, ${j}]`], W.shape[0], terms, {
    along: "i", formula: `dA[${k}, ${j}] = Σᵢ W[i, ${k}] · dZ[i, ${j}]`, layer: layerOf(linear),
  });
}

// Whether others add to a parameter's gradient: further uses, or a penalty.
function isShared(node, name) {
  const { owner, uses } = doc.nodes[node];
  return uses > 1 || doc.borrowed.some(([of, what]) => of === owner && what === name);
}
