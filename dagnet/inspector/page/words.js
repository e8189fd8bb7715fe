// Words that come with the data, in English: kinds of ops, and why an array is not there.

const KINDS = {
  input: "输入", linear: "线性", activation: "激活", join: "合并", loss: "损失", penalty: "惩罚",
  normalization: "归一化", regularization: "正则化", reshape: "变形",
};

const REASONS = {
  "no gradient flows to this node": "没有梯度流到这个节点",
  "no gradient flows to this input": "没有梯度流到这个输入",
  "the backward pass has not run on these values; call model.backward()": "还没有用这些值做反向传播：请调用 model.backward()",
  "not kept; run with keep='all': model.forward(feeds) does, train_step(..., keep='all') and fit(..., keep='all') do if asked":
    "没有保留：model.forward(feeds) 会全部保留，train_step 和 fit 要写上 keep='all'",
  "not computed in this run; run with keep='all': model.forward(feeds) does, train_step(..., keep='all') and fit(..., keep='all') do if asked":
    "这次运行没有算它：model.forward(feeds) 会全部算出，train_step 和 fit 要写上 keep='all'",
};

// The kind of an op in the language of now.
const kindWord = (kind) => (language.now === "zh" && KINDS[kind]) || kind;

// Why an array is not there, in the language of now, without its name; other reasons stay as they are.
function reasonWord(said) {
  const reason = Object.keys(REASONS).find((known) => said.endsWith(known)) ?? said;
  return (language.now === "zh" && REASONS[reason]) || reason;
}
