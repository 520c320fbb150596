#!/usr/bin/env bash
# lint.sh FILE...: formatting of the C files and shellcheck of the scripts among them.  TAP; a tool
# that is not installed is skipped.
set -euo pipefail
# shellcheck source=test/harness/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$REPO"

c_files=()
sh_files=()
for file in "$@"; do
    case $file in
        *.c | *.h) c_files+=("$file") ;;
        *) sh_files+=("$file") ;;
    esac
done

formatted()
{
    local complaints
    complaints=$(clang-format-14 --dry-run "$1" 2>&1 | grep -c 'warning:' || true)
    [ "$complaints" -eq 0 ] || diag "$complaints places; make format changes them"
    [ "$complaints" -eq 0 ]
}

if command -v clang-format-14 >/dev/null; then
    for file in "${c_files[@]}"; do
        ok "format of $file" formatted "$file"
    done
else
    skip 1 "clang-format-14 is not installed"
fi
if command -v shellcheck >/dev/null; then
    for file in "${sh_files[@]}"; do
        ok "shellcheck $file" shellcheck -x -P SCRIPTDIR "$file"
    done
else
    skip 1 "shellcheck is not installed"
fi
done_testing
