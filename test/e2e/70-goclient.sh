# shellcheck shell=bash
# Upstream's own Go client, unchanged.

goclient() {
    (cd "$repository/test/goclient" && go build -o "$repository/build/goclient" .)
    gcc -O2 -static -s -o "$repository/build/udp_echo" "$repository/test/streams/guest/udp_echo.c"
    "$repository/build/goclient" -kubeconfig "$KUBECONFIG" -namespace "$NS" -name "goclient-$RANDOM" -udp-echo "$repository/build/udp_echo"
}
run_case "kubevirt.io/client-go drives every stream and subresource that it knows" goclient

by_command() { "$repository/test/streams/cli-script.sh" "$NS" "script-$RANDOM"; }
run_case "kubectl-virt passes the same script, ssh and scp with OpenSSH" by_command
