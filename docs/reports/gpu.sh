#!/usr/bin/env bash
# The whole report of a GPU within eight minutes and without a network: tests, times, and runs, in one folder.
#
#     docs/reports/gpu.sh [FOLDER]       (runs/gpu if not given)
#
# A step that fails, is not done in time, or lacks a package or data is told in the report with the reason; the others
# go on. A torch of 2.11 or later and Python of 3.11 or later are all that every step needs.
#
#     DEVICE=cpu DRY=1 docs/reports/gpu.sh FOLDER      tries everything in little, where there is no GPU
#     STEPS="versions smoke" ...                       only these
#     MNIST=FOLDER ...                                 where the files of MNIST are, whose one epoch is trained on
set -uo pipefail
here=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "${1:-runs/gpu}"
out=$(cd "${1:-runs/gpu}" && pwd)
cd "$here"

export DEVICE=${DEVICE:-cuda} PYTHONPATH="$here${PYTHONPATH:+:$PYTHONPATH}"
total=${TOTAL:-480} patience=1 # seconds, of which each step has a share at the most
python=${PYTHON:-python3}
seconds=0.1 effort=(--budget quick) narrow=(-s Lorenz -l NeuralODE -l ResNet --seeds 2) mnist=(--budget quick) some=() pictures=() one=(-l NeuralODE)
fields=(-l NeuralODE -l ResNet)
if [[ -n ${DRY:-} ]]; then
  seconds=0.001 patience=4 total=${TOTAL:-2000}
  some=(-l "NeuralODE[width=4,depth=1]") one=("${some[@]}") fields=("${some[@]}") pictures=(-l "MLPClassifier[hidden=4]")
  effort=(-s LinearSpiral -l Persistence --seeds 1) narrow=(-s CubicSpiral -l Persistence --seeds 1)
fi

: >"$out/steps.tsv"
begun=$SECONDS

# step NAME SECONDS COMMAND...: what it prints goes to NAME.log, its fate to steps.tsv
step() {
  local name=$1 limit=$2 left=$((total - SECONDS + begun)) start=$SECONDS code=0 fate
  shift 2
  ((limit *= patience))
  [[ -n ${STEPS:-} && " $STEPS " != *" $name "* ]] && return
  ((limit < left)) || limit=$((left > 0 ? left : 0))
  if ((limit <= 0)); then
    code=124
    echo "no time was left" >"$out/$name.log"
  else
    timeout --signal=INT --kill-after=15 "$limit" "$@" >"$out/$name.log" 2>&1 || code=$?
  fi
  case $code in
    0) fate=done ;;
    124 | 137) fate="not done in $limit s" ;;
    *) fate="left out: $(grep -v '^ *$' "$out/$name.log" | tail -1 | tr '\t' ' ' | cut -c1-200)" ;;
  esac
  printf '%s\t%s\t%s\t%s\n' "$name" "$code" "$((SECONDS - start))" "$fate" >>"$out/steps.tsv"
  printf '%-14s %4s s  %s\n' "$name" "$((SECONDS - start))" "$fate"
}

timed() { # timed NAME SECONDS OPTIONS...: one report of `time`, in a folder of its own
  local name=$1 limit=$2
  shift 2
  step "$name" "$limit" "$python" -m bench time --device "$DEVICE" --seconds "$seconds" --out "$out/$name" --quiet "$@"
}
run() { # run NAME SECONDS OPTIONS...: a run and its page
  local name=$1 limit=$2
  shift 2
  step "$name" "$limit" "$python" -m bench run --device "$DEVICE" -j "${JOBS:-8}" --out "$out/$name" --quiet "$@"
}

step versions 20 "$python" docs/reports/gpu_versions.py "$DEVICE"
beside=()
"$python" -c "import xdist" 2>/dev/null && beside=(-n "${JOBS:-8}" --dist worksteal)
step tests 90 "$python" -m pytest -o addopts= -o filterwarnings=default -q -m gpu -p no:cacheprovider "${beside[@]}" \
  tests/gpu
timed chaos-times 95 --suite chaos -s Lorenz --variant eager --variant graph "${some[@]}"
timed images-times 75 --suite images --variant eager --variant graph "${pictures[@]}"
run smoke 95 --suite smoke "${effort[@]}"
run chaos 60 --suite chaos "${narrow[@]}"
images=${MNIST:-$HOME/.cache/dynamics-bench}
if [[ -d $images/MNIST/raw ]]; then
  run mnist 90 --suite mnist -s "MNIST[root=$images, download=false]" -l ODENetClassifier --seeds 1 "${mnist[@]}"
else
  step mnist 1 sh -c "echo the files of MNIST are not in $images/MNIST/raw; exit 1"
fi
step peers 75 "$python" docs/reports/gpu_peers.py "$DEVICE" "$out/peers.json"
timed precisions 35 --suite chaos -s Lorenz --variant graph --precision tf32 --precision bfloat16 "${one[@]}"
timed field-times 45 --suite chaos -s KuramotoSivashinsky --variant eager --variant graph "${fields[@]}"
timed compiled-times 50 --suite chaos -s Lorenz --variant compiled "${one[@]}"
"$python" docs/reports/gpu_page.py "$out"
