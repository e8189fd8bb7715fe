"""Hyperparameters of optimizers and schedules: checked when they are set, and written as JSON."""

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields, is_dataclass
from inspect import isabstract
from typing import Any, ClassVar, Self, TypeVar, dataclass_transform

from dagnet.errors import ArgumentError, ArgumentTypeError, UnknownNameError

#: Takes a value and what it is called in messages; returns it as a plain number, or raises.
Check = Callable[[Any, str], Any]

C = TypeVar("C", bound="Configurable")


@dataclass_transform(eq_default=False, field_specifiers=(field,))
class Configurable:
    """Base of the classes whose hyperparameters are checked and can be written as JSON.

    Subclasses become dataclasses by themselves. A field is checked whenever it is set, by the
    function that `checks` has for it.
    """

    checks: ClassVar[Mapping[str, Check]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        dataclass(eq=False)(cls)

    def __setattr__(self, name: str, value: Any) -> None:
        check = self.checks.get(name)
        if check is not None:
            value = check(value, f"{type(self).__name__}: {name}")
        super().__setattr__(name, value)

    @property
    def config(self) -> dict[str, Any]:
        """The class name and the hyperparameters, as JSON can hold them."""
        config: dict[str, Any] = {"name": type(self).__name__}
        for name in hyperparameters(type(self)):
            value = getattr(self, name)
            config[name] = value.config if isinstance(value, Configurable) else value
        return config

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """Return a new object from what `config` gave, of this class or one below it."""
        if not isinstance(config, Mapping) or "name" not in config:
            raise ArgumentTypeError(
                f"{cls.__name__}: a config is a mapping with a 'name', got {config!r}"
            )
        classes = concrete_subclasses(cls)
        if config["name"] not in classes:
            raise UnknownNameError.of(cls.__name__.lower(), config["name"], classes)
        found = classes[config["name"]]
        required = hyperparameters(found)
        values = {name: value for name, value in config.items() if name != "name"}
        for name in values:
            if name not in required:
                raise UnknownNameError.of(f"{found.__name__} setting", name, required)
        missing = [n for n, needed in required.items() if needed and n not in values]
        if missing:
            raise ArgumentError(f"{found.__name__}: the config lacks {', '.join(missing)}")
        for name, value in values.items():
            if isinstance(value, Mapping):
                values[name] = Configurable.from_config(value)
        return found(**values)


def hyperparameters(cls: type) -> dict[str, bool]:
    """Return the names a dataclass is constructed from, and whether each must be given."""
    return {f.name: f.default is MISSING for f in fields(cls) if f.init}


def concrete_subclasses(cls: type[C]) -> dict[str, type[C]]:
    """Return `cls` and the classes below it that can be made, by name."""
    found: dict[str, type[C]] = {}
    waiting = [cls]
    while waiting:
        current = waiting.pop(0)
        waiting += current.__subclasses__()
        if is_dataclass(current) and not isabstract(current):
            found[current.__name__] = current
    return found
