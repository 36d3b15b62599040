# bash completion of upcase(1)
# shellcheck shell=bash

_upcase() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
  # --name=value comes as three words.
  if [ "$current" = = ]; then
    current=
  elif [ "$previous" = = ]; then
    previous=${COMP_WORDS[COMP_CWORD - 2]}
  fi

  case $previous in
    -s | --socket)
      mapfile -t COMPREPLY < <(compgen -f -- "$current")
      compopt -o filenames
      ;;
    -d | --client-directory)
      mapfile -t COMPREPLY < <(compgen -d -- "$current")
      compopt -o filenames
      ;;
    --server-user)
      mapfile -t COMPREPLY < <(compgen -u -- "$current")
      ;;
    --timeout) ;;
    *)
      # Text is the user's own; only options are offered.
      if [[ $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W '-s --socket -d --client-directory --server-user
          --timeout --progress -V --version -h --help' -- "$current")
      fi
      ;;
  esac
}
complete -F _upcase upcase
