#!/usr/bin/env bash
# run.sh FOLDER-OF-FUZZERS SECONDS [NAME...]: runs each fuzzer (or those named) that long, one after the other. What
# was learnt stays in FOLDER/../corpus/NAME for the next run; the seeds are only read. A finding ends the run with its
# reproducer in FOLDER/../findings. With FUZZ_SEED set the inputs are drawn in that one order.
set -euo pipefail
seeds=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/seeds
fuzzers=$1
seconds=$2
shift 2
work=$(cd "$fuzzers/.." && pwd)
names=("$@")
[ ${#names[@]} -gt 0 ] || mapfile -t names < <(cd "$fuzzers" && printf '%s\n' fuzz-* | sed 's/^fuzz-//')
for name in "${names[@]}"; do
  mkdir -p "$work/corpus/$name" "$work/findings"
  log=$work/corpus/$name.log
  # Inputs up to 4 KiB: longer ones only make the same code slower. 25 s for one input is a finding too (quadratic
  # time; less is a machine that is busy).
  if ! "$fuzzers/fuzz-$name" -max_total_time="$seconds" -max_len=4096 -timeout=25 -rss_limit_mb=2048 \
      -seed="${FUZZ_SEED:-0}" -print_final_stats=1 -artifact_prefix="$work/findings/$name-" "$work/corpus/$name" "$seeds/$name" >"$log" 2>&1; then
    tail -n 60 "$log"
    printf 'fuzz-%s: a finding, reproduced by: %s %s\n' "$name" "$fuzzers/fuzz-$name" "$work/findings/$name-..." >&2
    exit 1
  fi
  printf '%-16s %s inputs in %s s\n' "$name" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" "$seconds"
done
