export const USAGE = `Docker volume drivers from the command line, without a Docker daemon.

Usage:
  dvdcli <command> --volumedriver=NAME --volumename=NAME [flags]

Available Commands:
  create      Create a volume
  remove      Remove a volume; refused while it is mounted here
  mount       Mount a volume, creating it when it is missing; prints its path
  unmount     Unmount a volume
  path        Print where a volume is mounted; nothing when it is not
  get         Print a volume's name; fails when there is none
  list        Print the names of the driver's volumes (no --volumename)
  version     Print the version
  doctor      Look whether drivers are there and answer (no flag needed)
  help        This text

Flags:
      --volumedriver NAME    volume driver
      --volumename NAME      volume
      --volumeopts K=V,...   create, mount: options; several flags, or separated by commas
      --explicitcreate       mount: fail when the volume is missing (also --explicitCreate)
      --mountid ID           mount, unmount: the mount ID to send; none is sent without it
      --timeout TIME         limit for the whole command, such as 90s (105s)
      --json                 one JSON object on standard output
  -h, --help                 this text

Environment:
  VOLUME_PLUGIN_DIRECTORIES  where plugins are looked for, separated by colons
                             (/run/docker/plugins:/etc/docker/plugins:/usr/lib/docker/plugins)
  DOCKER_HOST                the Docker Engine that is asked for managed plugins
                             (unix:///var/run/docker.sock)

Exit codes: 0 done, 1 failed, 64 wrong usage.
`;
