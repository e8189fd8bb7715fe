"""The words of a drawing in English and Chinese; ops are called what the lesson calls them."""

from dataclasses import dataclass
from typing import Final, Literal

from dagnet.errors import UnknownNameError

Language = Literal["en", "zh"]

#: What stands for an English phrase, or for a noun that is counted.
CHINESE: Final = {
    # Signs.
    ", ": "，",
    "; ": "；",
    "{}: {}": "{}：{}",
    # Nouns.
    "node": "节点",
    "parameter": "参数",
    "parameter array": "参数数组",
    "value": "值",
    # Boxes.
    "input": "输入",
    "target": "目标",
    "{} · output": "{} · 输出",
    "number": "一个数",
    "{} throughout": "大小都是 {}",
    "of {}": "作用于 {}",
    "reads {}": "依次读取 {}",
    "shared with {}": "与 {} 共享",
    "parameters shared with {}": "参数与 {} 共享",
    "{}, shared by all": "{}，全部共享",
    "{}, shared by all blocks": "{}，各块共享",
    "output: {}": "输出：{}",
    "network of {}": "{}的网络",
    # Tooltips.
    "… {} in all": "… 共 {}",
    "input {}: {} {}": "输入 {}：{} {}",
    "reads {}.{}": "读取 {}.{}",
    "closed": "未展开",
    "input of the block": "块的输入",
    "{} has the parameters of {}": "{} 使用 {} 的参数",
    # Rows of a text.
    "reads {} below": "读取下面的 {}",
    "gradient {}": "梯度 {}",
    # What is too large.
    "{}, too many to draw each": "{}，太多，无法逐个画出",
    "closed below level {}: fold={} opens more": "第 {} 级以下没有展开，fold={} 可以展开更多",
    "neighbours are put together": "相邻的节点合成了一个框",
    # Gradients.
    "arrows with open heads: gradients of the cost, in reverse order": (
        "空心箭头是成本的梯度，方向与前向相反"
    ),
    "{}, with their norms": "{}，旁边的数是范数",
    "{}; no norms: {}": "{}；没有范数：{}",
    "norm {}": "范数 {}",
    # Overlays.
    "overlay": "数值",
    "alerts": "警报数",
    "parameters": "参数个数",
    "flops, forward": "前向运算次数",
    "time, forward and backward": "用时（前向加反向）",
    "bytes of values and gradients": "数值和梯度占用的内存",
    "share of the machine's limit": "达到机器极限的比例",
    "mean of the output": "输出的均值",
    "standard deviation of the output": "输出的标准差",
    "largest magnitude in the output": "输出的最大绝对值",
    "share of zeros in the output": "输出中零的比例",
    "norm of the gradient": "梯度的范数",
    "norm of the update / norm of the weights": "更新的范数 / 权重的范数",
    "several layers: least · median · most, and the colour of the worst": (
        "多层合成一框：最小 · 中位数 · 最大，颜色取最极端的一层"
    ),
    "{} each": "都是 {}",
    "total {}": "合计 {}",
    "worst: {} {}": "最极端：{} {}",
    "{} not finite": "{} 个不是有限值",
    "no finite number": "没有有限值",
    "none": "无",
    # Changes.
    "{} added": "新增 {}",
    "{} removed": "删去 {}",
    "{} changed": "改动 {}",
    "{} of {} added": "新增 {} / {}",
    "{} of {} removed": "删去 {} / {}",
    "{} of {} changed": "改动 {} / {}",
    "added": "新增",
    "removed": "删去",
    "changed": "有改动",
    "before": "改动之前",
    "the same structure": "结构相同",
}

_TABLES: Final[dict[str, dict[str, str]]] = {"en": {}, "zh": CHINESE}


@dataclass(frozen=True)
class Words:
    """Says what a drawing says in a language.

    Examples
    --------
    >>> english, chinese = Words("en"), Words("zh")
    >>> english("shared with {}", "encode"), chinese("shared with {}", "encode")
    ('shared with encode', '与 encode 共享')
    """

    language: Language = "en"

    def __post_init__(self) -> None:
        if self.language not in _TABLES:
            raise UnknownNameError.of("language", self.language, _TABLES)

    def __call__(self, phrase: str, *values: object) -> str:
        """Return a phrase, given in English, with its values; unknown ones stay as they are."""
        said = _TABLES[self.language].get(phrase, phrase)
        return said.format(*values) if values else said

    def counted(self, number: int, noun: str) -> str:
        """Return a count in words.

        Examples
        --------
        >>> Words().counted(1, "parameter"), Words().counted(245780, "parameter")
        ('1 parameter', '245,780 parameters')
        >>> Words("zh").counted(245780, "parameter")
        '245,780 个参数'
        """
        if self.language == "zh":
            return f"{number:,} 个{self(noun)}"
        return f"{number:,} {noun}" + ("" if number == 1 else "s")


ENGLISH: Final = Words()
