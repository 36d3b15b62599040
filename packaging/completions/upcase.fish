# fish completion of upcase(1)

complete -c upcase -f
complete -c upcase -s s -l socket -rF -d 'The daemon\'s socket'
complete -c upcase -s d -l client-directory -xa '(__fish_complete_directories)' -d 'Where to make our own socket file'
complete -c upcase -l server-user -xa '(__fish_complete_users)' -d 'Refuse a daemon that anybody else runs'
complete -c upcase -l timeout -x -d 'Give up when nothing moves for so long'
complete -c upcase -l progress -d 'Show how far it is'
complete -c upcase -s V -l version -d 'Print the version'
complete -c upcase -s h -l help -d 'Print a summary'
