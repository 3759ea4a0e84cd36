"""Who calls what, seen by the linker: modules, raw memory, system calls, exported names."""

import re

import _tree

HEAP = {
    "malloc", "calloc", "realloc", "reallocarray", "free", "strdup", "strndup", "asprintf",
    "vasprintf", "posix_memalign", "aligned_alloc", "memalign", "valloc", "__asprintf_chk",
    "__vasprintf_chk", "__strdup", "__strndup", "cfree", "getline", "getdelim", "open_memstream",
}
# base/os.h, base/lock.h, base/clock.h and base/rng.h are the only doors.
SYSTEM = {
    "pthread_create", "pthread_mutex_lock", "pthread_cond_wait", "pthread_cond_timedwait",
    "pthread_cancel", "pthread_detach", "thrd_create", "fork", "vfork", "posix_spawn", "system",
    "popen", "open", "open64", "openat", "openat64", "creat", "read", "write", "pread", "pread64",
    "pwrite", "pwrite64", "readv", "writev", "fsync", "fdatasync", "rename", "unlink", "ftruncate",
    "ftruncate64", "fallocate", "fallocate64", "mmap", "mmap64", "munmap", "madvise", "mkdir",
    "opendir", "flock", "stat", "stat64", "fstat", "fstat64", "lstat", "statvfs", "statvfs64",
    "fopen", "fopen64", "fdopen", "freopen", "socket", "bind", "listen", "accept", "accept4",
    "connect", "send", "sendto", "sendmsg", "recv", "recvfrom", "recvmsg", "setsockopt",
    "getsockname", "shutdown", "epoll_create1", "epoll_ctl", "epoll_wait", "eventfd", "poll",
    "select", "time", "gettimeofday", "clock_gettime", "nanosleep", "clock_nanosleep", "sleep",
    "usleep", "getrandom", "getentropy", "arc4random", "__read_chk", "__pread_chk", "__recv_chk",
    "__pread64_chk", "__recvfrom_chk", "__poll_chk",
}
THREAD_START = re.compile(r"\bsn_thread_start\s*\(")


def check(root, build):
    layers = _tree.Layers(root)
    archives = _tree.module_archives(layers, build)
    problems = check_modules(layers, archives)
    problems += check_prefixes(archives)
    problems += check_doors(root, archives)
    problems += check_exports(build)
    problems += check_thread_starts(root)
    return problems


def check_modules(layers, archives):
    """A symbol of a module that src/LAYERS does not allow, however it was declared."""
    home, problems = {}, []
    for module, archive in archives.items():
        for symbol in _tree.defined_symbols(archive):
            home[symbol] = module
    for module, archive in archives.items():
        for symbol, objects in sorted(_tree.undefined_symbols(archive).items()):
            other = home.get(symbol, module)
            if other != module and other not in layers.allowed[module]:
                problems.append(f"{module}: {', '.join(sorted(objects))} calls {symbol} of {other},"
                                " which src/LAYERS does not allow")
    return problems


def check_prefixes(archives):
    """libsonde.a is linked into host programs: every global name in it must be ours."""
    return [f"{module}: global name {symbol} has no prefix sn_ or sonde_; make it static"
            for module, archive in archives.items()
            for symbol in sorted(_tree.defined_symbols(archive))
            if not symbol.startswith(("sn_", "sonde_"))]


def check_doors(root, archives):
    allowed, problems = _tree.reasons(root / "tests/lint/symbols_allowed.txt", 2)
    used = set()
    for module, archive in archives.items():
        for symbol, objects in sorted(_tree.undefined_symbols(archive).items()):
            if module == "base" or symbol not in HEAP | SYSTEM:
                continue
            used.add((module, symbol))
            if (module, symbol) not in allowed:
                problems.append(f"{module}: {', '.join(sorted(objects))} calls {symbol}; only base "
                                "may (exceptions: tests/lint/symbols_allowed.txt)")
    for module, symbol in sorted(allowed.keys() - used):
        if module in archives:
            problems.append(f"symbols_allowed.txt: {module} no longer calls {symbol}: shrink it")
    return problems


def check_exports(build):
    problems = []
    for library in (build / "libsonde.so", build / "libsonde-http.so"):
        lines = (_tree.run("nm", "-D", "--defined-only", str(library)).splitlines()
                 if library.exists() else [])
        symbols = [line.split()[-1] for line in lines if " A " not in line]
        problems += [f"{library.name} exports {symbol}, which is not ours to take in a host program"
                     for symbol in symbols if not symbol.split("@")[0].startswith("sonde_")]
    return problems


def check_thread_starts(root):
    """Modules offer workers; app starts them."""
    allowed, problems = _tree.reasons(root / "tests/lint/threads_allowed.txt", 1)
    used = set()
    for path in _tree.files(root, ("src",), (".c",)):
        is_its_home = path.parts[1] in ("app", "base")
        if is_its_home or not THREAD_START.search(_tree.read(root / path)):
            continue
        used.add((str(path),))
        if (str(path),) not in allowed:
            problems.append(f"{path}: starts a thread; only app, tests and benchmarks do "
                            "(exceptions: tests/lint/threads_allowed.txt)")
    for (path,) in sorted(allowed.keys() - used):
        problems.append(f"threads_allowed.txt: {path} starts no thread any more: shrink it")
    return problems


if __name__ == "__main__":
    _tree.main(check)
