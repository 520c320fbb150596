#!/usr/bin/env bash
# purity.sh: the line between kernels and bindings, checked on what was built.  TAP.
#
# A kernel is plain C: it must link without PostgreSQL, allocate through its environment only, and own no
# global state.  And since PostgreSQL loads modules with RTLD_GLOBAL, every name the module exports
# has to carry the prefix.
set -euo pipefail
# shellcheck source=test/harness/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$REPO"

OBJDIR=$BUILD/strict
# not for kernels: memory outside the arena, ends of the process, state of the process, other clocks
FORBIDDEN='malloc calloc realloc free strdup strndup asprintf vasprintf posix_memalign aligned_alloc
    exit _exit abort rand srand random srandom drand48 srand48 setlocale setjmp longjmp time printf puts
    fprintf fputs fwrite perror'
# linalg keeps the handle of the library it opened
STATEFUL='linalg'
# tasks makes environments for threads, which are arenas over malloc; team is what threads share that outlive one
ENVIRONMENTS='tasks team'

mapfile -t kernels < <(find src -name '*.c' ! -name '*_sql.c' | sort)
objects=()
for source in "${kernels[@]}"; do objects+=("$OBJDIR/${source%.c}.o"); done
if ! ls "${objects[@]}" "$OBJDIR/retailml.so" >/dev/null 2>&1; then
    echo "Bail out! the strict build is not complete"
    exit 1
fi

no_postgres_include()
{
    local found
    found=$(grep -nE '^[[:space:]]*#[[:space:]]*include[[:space:]]*["<](postgres|fmgr\.h|utils/|access/|catalog/|executor/|nodes/|storage/|libpq|.*_sql\.h)' "$@") || return 0
    diag "$found"
    return 1
}

pure_headers()
{
    local headers=()
    mapfile -t headers < <(find include -name '*.h' ! -name '*_sql.h' | sort)
    no_postgres_include "${headers[@]}"
}

# each header has to compile by itself
self_contained()
{
    local header status=0
    while read -r header; do
        gcc -std=gnu11 -fsyntax-only -pthread -Iinclude -x c "$header" 2>&1 || status=1
    done < <(find include -name '*.h' ! -name '*_sql.h' | sort)
    return $status
}

links_alone()
{
    local status=0
    gcc -shared -pthread -Wl,-z,defs -o "$OBJDIR/kernels.so" "${objects[@]}" -ldl -lm 2>&1 || status=1
    rm -f "$OBJDIR/kernels.so"
    return $status
}

nothing_forbidden()
{
    local object name status=0
    for object in "${objects[@]}"; do
        case " $ENVIRONMENTS " in *" $(basename "$object" .o) "*) continue ;; esac
        while read -r name; do
            diag "$object uses $name"
            status=1
        done < <(nm -u "$object" | awk '{ print $2 }' | sed 's/@.*//' |
            grep -Fx "$(tr -s ' \n' '\n' <<<"$FORBIDDEN")" || true)
    done
    return $status
}

no_state()
{
    local object status=0 found
    for object in "${objects[@]}"; do
        case " $STATEFUL " in *" $(basename "$object" .o) "*) continue ;; esac
        # constant tables of pointers are in .data.rel.ro, written once by the loader
        found=$(objdump -t "$object" | awk '/ O / && !/\.data\.rel\.ro/ &&
            /[[:space:]](\.data|\.bss|\.tdata|\.tbss|\*COM\*)/ { print $NF }')
        if [ -n "$found" ]; then
            diag "$object owns $(tr '\n' ' ' <<<"$found")"
            status=1
        fi
    done
    return $status
}

prefixed()
{
    local found
    found=$(nm -D --defined-only "$OBJDIR/retailml.so" | awk '{ print $3 }' |
        grep -vE '^(rml_|pg_finfo_rml_|Pg_magic_func$|_PG_init$|_PG_fini$|_init$|_fini$)') || return 0
    diag "$found"
    return 1
}

mapfile -t private < <(find src -name '*.h' ! -name '*_sql.h' | sort)
ok "kernels include nothing of PostgreSQL" no_postgres_include "${kernels[@]}" "${private[@]}"
ok "neither do their headers" pure_headers
ok "every kernel header compiles by itself" self_contained
ok "kernels link against libc and libm alone" links_alone
ok "kernels allocate through their environment only" nothing_forbidden
ok "kernels own no global state" no_state
ok "exported names carry the prefix" prefixed
done_testing
