// Words that come with the data, in English: kinds of ops, and why an array is not there.

const CHINESE = {
  input: "输入", linear: "线性", activation: "激活", join: "合并", loss: "损失", penalty: "惩罚",
  normalization: "归一化", regularization: "正则化", reshape: "变形",
  "no gradient flows to this node": "没有梯度流到这个节点", "no gradient flows to this input": "没有梯度流到这个输入",
};

// A word in the language of now; those that are not known stay as they are.
const word = (text) => (language.now === "zh" && CHINESE[text]) || text;
