# shellcheck shell=bash
# The node's network namespace, joined to the machine's own by a veth pair. The machine reaches the API server,
# the pods and the services through it; the node gets a default route, without which kubelet finds no address.

network_up() {
    if [ ! -e "/run/netns/$NETNS" ]; then
        ip netns add "$NETNS"
        in_node ip link set lo up
    fi
    if ! in_node ip link show eth0 >/dev/null 2>&1; then
        ip link add "$HOST_LINK" type veth peer name eth0 netns "$NETNS"
        in_node ip address add "$NODE_IP/$NODE_PREFIX" dev eth0
        in_node ip link set eth0 up
    fi
    ip address replace "$HOST_IP/$NODE_PREFIX" dev "$HOST_LINK"
    ip link set "$HOST_LINK" up
    ip route replace "$CLUSTER_CIDR" via "$NODE_IP" dev "$HOST_LINK"
    ip route replace "$SERVICE_CIDR" via "$NODE_IP" dev "$HOST_LINK"
    in_node ip route replace default via "$HOST_IP"
    in_node sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
    # Without it the answer of a service's pod to its neighbour on the bridge goes past the address translation.
    in_node sysctl -qw net.bridge.bridge-nf-call-iptables=1 2>/dev/null ||
        say "this kernel has no br_netfilter: a pod does not reach a service whose pod is its neighbour"
    refuse_unknown_services
}

# An address of the service network that no service has would go to the machine and come back for ever.
refuse_unknown_services() {
    local rule=(FORWARD -d "$SERVICE_CIDR" -j REJECT)
    in_node iptables -w -C "${rule[@]}" 2>/dev/null || in_node iptables -w -A "${rule[@]}"
}

network_down() {
    ip link delete "$HOST_LINK" 2>/dev/null || :
    [ ! -e "/run/netns/$NETNS" ] || ip netns delete "$NETNS"
}
