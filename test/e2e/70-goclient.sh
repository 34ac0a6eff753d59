# shellcheck shell=bash
# Upstream's own Go client, unchanged.

goclient() {
    (cd "$repository/test/goclient" && go build -o "$repository/build/goclient" .)
    "$repository/build/goclient" -kubeconfig "$KUBECONFIG" -namespace "$NS"
}
run_case "kubevirt.io/client-go creates, starts, watches, pauses, opens console and VNC, restarts, stops" goclient
