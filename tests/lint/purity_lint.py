"""Pure modules call nothing of the C library but what purity_allowed.txt lists."""

import _tree


def check(root, build):
    layers = _tree.Layers(root)
    allowed, problems = _tree.reasons(root / "tests/lint/purity_allowed.txt", 1)
    for module, archive in _tree.module_archives(layers, build).items():
        if module not in layers.pure:
            continue
        for symbol, objects in sorted(_tree.undefined_symbols(archive).items()):
            if symbol.startswith(("sn_", "sonde_")) or _tree.is_compiler_symbol(symbol):
                continue
            if (symbol,) not in allowed:
                problems.append(f"{module}: {', '.join(sorted(objects))} calls {symbol}, which is "
                                "not in tests/lint/purity_allowed.txt")
    return problems


if __name__ == "__main__":
    _tree.main(check)
