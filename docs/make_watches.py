"""Writes the tables of docs/watches.md and docs/zh/watches.md from the classes of watches.

Run it after changing a watch:  python docs/make_watches.py
"""

import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

from dagnet.debug.watches import CATALOGUE, Watch

PAGE = Path(__file__).with_name("watches.md")
CHINESE_PAGE = PAGE.parent / "zh" / PAGE.name

#: What stands around the table in a page.
MARKS = "<!-- made by make_watches.py -->", "<!-- to here -->"

#: What stands in the Chinese table for what the classes say.
CHINESE = {
    "watch": "监视项",
    "class, thresholds": "类，阈值",
    "looks": "何时看",
    "tells if": "何时报告",
    "what to do": "怎么办",
    "forward": "前向",
    "forward, backward, update": "前向、反向、更新",
    "backward": "反向",
    "update": "更新",
    # Formulas.
    "any element is NaN": "有元素是 NaN",
    "any element is Inf or -Inf": "有元素是 Inf 或 -Inf",
    "max abs(V) > share · sqrt(largest number of the dtype)": (
        "max abs(V) > share · sqrt(dtype 的最大数)"
    ),
    "max(A) > share · log(largest number of the dtype)": "max(A) > share · log(dtype 的最大数)",
    "a feature's rms over the examples > above": "某个特征对各样本的 rms > above",
    "every element of the output is 0": "输出的每个元素都是 0",
    "min(A) = max(A) ≠ 0": "min(A) = max(A) ≠ 0",
    "‖A - A before‖ > by · ‖A before‖": "‖A - 上一步的 A‖ > by · ‖上一步的 A‖",
    "more than share · n of the n units: max over examples(A) ≤ 0": (
        "n 个单元里，多于 share · n 个：A 对样本的最大值 ≤ 0"
    ),
    "for every unit max over examples(A) = min over examples(A)": (
        "每个单元：A 对样本的最大值 = 最小值"
    ),
    "more than share of the elements within margin · range of 0 or 1 (±1)": (
        "离 0 或 1（±1）不到 margin · 值域宽度的元素，比例大于 share"
    ),
    "max over classes(mean over examples(P)) > share": "P 对样本的均值，在各类中最大的 > share",
    "max(A) - min(A) outside [r/factor, factor · r], r that of the first step": (
        "max(A) - min(A) 不在 [r/factor, factor · r] 之内，r 是第一步的这个数"
    ),
    "numbers of a unit in a batch < least": "一批里一个单元的数的个数 < least",
    "rms(dW) < below": "rms(dW) < below",
    "rms(dW) < below · rms(dW of the last layer)": "rms(dW) < below · rms(最后一层的 dW)",
    "‖dW‖ > above": "‖dW‖ > above",
    "every element of dA, dW or db that the node sends is 0": (
        "节点传出的 dA、dW 或 db，每个元素都是 0"
    ),
    "‖W after - W before‖ = 0": "‖更新后的 W - 更新前的 W‖ = 0",
    "‖W after - W before‖ > above · ‖W before‖": "‖更新后的 W - 更新前的 W‖ > above · ‖更新前的 W‖",
    "‖W after - W before‖ < below · ‖W before‖": "‖更新后的 W - 更新前的 W‖ < below · ‖更新前的 W‖",
    "‖W after‖ > factor · ‖W before‖": "‖更新后的 W‖ > factor · ‖更新前的 W‖",
    "‖W after‖ < factor · ‖W before‖": "‖更新后的 W‖ < factor · ‖更新前的 W‖",
    "two rows of W are equal": "W 有两行相同",
    "W₂ (W₁ X + b₁) + b₂, with n₁ ≥ min(n₀, n₂) units": (
        "W₂ (W₁ X + b₁) + b₂，单元数 n₁ ≥ min(n₀, n₂)"
    ),
    "J is NaN or Inf": "J 是 NaN 或 Inf",
    "abs(J - J before) ≤ tolerance · abs(J before)": (
        "abs(J - 上一步的 J) ≤ tolerance · abs(上一步的 J)"
    ),
    "J - J before > tolerance · abs(J before)": "J - 上一步的 J > tolerance · abs(上一步的 J)",
    "cross-entropy of P < 0 or P > 1, of classes with abs(ΣP - 1) > 0.01, of a softmax over one"
    " class; targets that `feed_problem` refuses": (
        "交叉熵的 P < 0 或 P > 1；各类的 abs(ΣP - 1) > 0.01；softmax 只有一类；"
        "`feed_problem` 拒绝的目标"
    ),
    "mean J over the steps > share · mean J of the mean target": (
        "这些步里 J 的均值 > share · 总以目标的均值作答时 J 的均值"
    ),
    "‖mean Y of the batch - mean Y‖ > above · √(var Y / m)": (
        "‖这一批 Y 的均值 - Y 的均值‖ > above · √(Y 的方差 / m)"
    ),
    # Remedies.
    "`alert.why()` shows the numbers that made the first one": (
        "`alert.why()` 指出造成第一个坏值的那些数"
    ),
    "scale the data; a smaller learning rate, or `clip_norm`": (
        "缩放数据；减小学习率，或者用 `clip_norm`"
    ),
    "normalise before it, or draw smaller weights": "在它前面归一化，或者抽取更小的权重",
    "`fit(..., scaling='standardize')`": "`fit(..., scaling='standardize')`",
    "look at what it is computed of: data, weights, a dead layer": (
        "看它由什么算出：数据，权重，还是死的层"
    ),
    "look at what it is computed of: data, weights that are all 0": (
        "看它由什么算出：数据，还是全为 0 的权重"
    ),
    "a smaller learning rate, or `clip_norm`; look at this batch's data": (
        "减小学习率，或者用 `clip_norm`；看看这一批的数据"
    ),
    "a smaller learning rate, `LeakyReLU`, or `init='he'`": (
        "减小学习率，用 `LeakyReLU`，或者 `init='he'`"
    ),
    "look at the weights before it, for zeros or far too large biases": (
        "看它前面的权重：有没有零，偏置是不是太大"
    ),
    "scale the data, draw smaller weights, or normalise before it": (
        "缩放数据，抽取更小的权重，或者在它前面归一化"
    ),
    "look at how often each class occurs, and for a too high learning rate": (
        "看各类各有多少样本，学习率是不是太大"
    ),
    "a smaller learning rate, normalisation, or weight decay": "减小学习率，归一化，或者权重衰减",
    "a larger `batch_size`, or `LayerNorm`": "增大 `batch_size`，或者用 `LayerNorm`",
    "another activation or `init`, skip connections, normalisation": (
        "换激活函数或 `init`，加跳跃连接，归一化"
    ),
    "`clip_norm` of the optimizer, a smaller `init`, scaled data": (
        "优化器的 `clip_norm`，更小的 `init`，缩放数据"
    ),
    "look for dead units, weights that are all 0, a saturated activation": (
        "看有没有死单元，全为 0 的权重，饱和的激活"
    ),
    "look at the learning rate, and for a gradient that is 0": "看学习率，看有没有为 0 的梯度",
    "a smaller learning rate, or `clip_norm`": "减小学习率，或者用 `clip_norm`",
    "a larger learning rate; look for a vanishing gradient": "增大学习率；看梯度是不是消失了",
    "a smaller learning rate, `l2` or `weight_decay`": "减小学习率，用 `l2` 或 `weight_decay`",
    "a smaller `weight_decay` or `l2`": "减小 `weight_decay` 或 `l2`",
    "draw the weights at random: `init='he'`": "随机抽取权重：`init='he'`",
    "an activation between the two": "在两者之间加一个激活",
    "`alert.why()`; a smaller learning rate; a loss after its activation": (
        "`alert.why()`；减小学习率；损失前面用与它相配的激活"
    ),
    "a larger learning rate; look for gradients that vanish; or be done": (
        "增大学习率；看梯度是不是消失了；或者已经训练好了"
    ),
    "a smaller learning rate; `dn.gradcheck` if an op is your own": (
        "减小学习率；有自己写的算子，就用 `dn.gradcheck`"
    ),
    "before `BinaryCrossEntropy` a `Sigmoid`, before `CategoricalCrossEntropy` a `Softmax`": (
        "`BinaryCrossEntropy` 前面用 `Sigmoid`，`CategoricalCrossEntropy` 前面用 `Softmax`"
    ),
    "what other watches tell; a learning rate far too high or low; do the targets belong to these"
    " examples? `dn.gradcheck` if an op is your own": (
        "看别的监视项怎么说；学习率是不是太大或太小；目标和样本对得上吗？"
        "有自己写的算子，就用 `dn.gradcheck`"
    ),
    "`fit(..., shuffle=True)`": "`fit(..., shuffle=True)`",
}

#: From a phrase of the English table to that of a page's language.
Say = Callable[[str], str]

#: The pages, each with its language.
PAGES: dict[Path, Say] = {PAGE: str, CHINESE_PAGE: CHINESE.__getitem__}


def table(say: Say) -> str:
    """Return a row for every watch of the catalogue."""
    heads = ["watch", "class, thresholds", "looks", "tells if", "what to do"]
    rows = [f"| {' | '.join(map(say, heads))} |", "|" + "---|" * len(heads)]
    rows += [f"| {' | '.join(_cells(watch, say))} |" for watch in CATALOGUE]
    return "\n".join(rows)


def _cells(watch: type[Watch], say: Say) -> list[str]:
    values = [f"{each.name}={each.default!r}" for each in fields(watch) if each.name != "over"]
    over = watch().over
    values += [f"over={over}"] if over > 1 else []
    return [
        f'`"{watch.name}"`',
        f"`{watch.__name__}({', '.join(values)})`",
        say(", ".join(watch.phases)),
        _escaped(say(watch.formula)),
        _escaped(say(watch.remedy)),
    ]


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def made(page: Path) -> str:
    """Return a page with the table as the classes have it."""
    begin, end = MARKS
    text = page.read_text(encoding="utf-8")
    rows = f"{begin}\n\n{table(PAGES[page])}\n\n{end}"
    return re.sub(f"{begin}.*?{end}", lambda _: rows, text, flags=re.S)


if __name__ == "__main__":
    for page in PAGES:
        page.write_text(made(page), encoding="utf-8")
        print(f"wrote {page}")
