# shellcheck shell=bash
# Writes OCI image archives with tar, sha256sum and jq: no daemon, no registry, no privilege. Sourced.
# Layers are stored uncompressed: an archive goes no further than this machine's containerd.

DIGEST_OF_BLOB=

# Set DIGEST_OF_BLOB to the sha256 of a file. A cached layer keeps its own beside it.
digest_of() {
    if [ "$1.sha256" -nt "$1" ]; then
        DIGEST_OF_BLOB=$(<"$1.sha256")
    else
        DIGEST_OF_BLOB=$(sha256sum <"$1" | cut -d' ' -f1)
    fi
}

# layer_from_tree TREE FILE: the same tree always gives the same bytes. A file's owner is root unless
# the tree's owner table (path TAB uid:gid, beside it) says otherwise.
layer_from_tree() {
    tar --create --file "$2" --format=gnu --sort=name --mtime=@0 --numeric-owner --owner="${3:-0}" --group="${4:-0}" -C "$1" .
}

store_blob() {
    digest_of "$2"
    ln -f "$2" "$1/blobs/sha256/$DIGEST_OF_BLOB" 2>/dev/null || cp "$2" "$1/blobs/sha256/$DIGEST_OF_BLOB"
}

descriptor() { # layout media-type file
    store_blob "$1" "$3"
    printf '{"mediaType":"%s","digest":"sha256:%s","size":%d}' "$2" "$DIGEST_OF_BLOB" "$(stat -c %s "$3")"
}

# oci_archive FILE NAME CONFIG LAYER...: CONFIG is the "config" object of the image, as JSON.
oci_archive() {
    local file=$1 name=$2 config=$3 layout layer layers=() ids=()
    shift 3
    layout=$(mktemp -d "$CACHE/oci.XXXXXX")
    mkdir -p "$layout/blobs/sha256"
    for layer; do
        layers+=("$(descriptor "$layout" application/vnd.oci.image.layer.v1.tar "$layer")")
        digest_of "$layer"
        ids+=("sha256:$DIGEST_OF_BLOB")
    done

    jq -n --argjson config "$config" '{created: "1970-01-01T00:00:00Z", architecture: "amd64", os: "linux",
        config: $config, rootfs: {type: "layers", diff_ids: $ARGS.positional}}' --args "${ids[@]}" >"$layout/config"
    descriptor "$layout" application/vnd.oci.image.config.v1+json "$layout/config" >"$layout/config.descriptor"
    printf '%s\n' "${layers[@]}" | jq -s --slurpfile config "$layout/config.descriptor" '{schemaVersion: 2,
        mediaType: "application/vnd.oci.image.manifest.v1+json", config: $config[0], layers: .}' >"$layout/manifest"
    descriptor "$layout" application/vnd.oci.image.manifest.v1+json "$layout/manifest" |
        jq --arg name "$name" '{schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests: [. + {
            platform: {architecture: "amd64", os: "linux"}, annotations: {"io.containerd.image.name": $name,
            "org.opencontainers.image.ref.name": ($name | split(":") | last)}}]}' >"$layout/index.json"
    echo '{"imageLayoutVersion": "1.0.0"}' >"$layout/oci-layout"

    tar --create --file "$file.new" -C "$layout" oci-layout index.json blobs
    mv "$file.new" "$file"
    rm -rf "$layout"
}

# built NAME SECONDS: the closing line of every image.
built() { say "$1: $(du -h --apparent-size "$IMAGES/$1.tar" | cut -f1) in $2 s -> $IMAGES/$1.tar"; }

# Load images into the local node, when the caller was asked to.
import_images() {
    local name start archives=()
    node_has_containerd || die "the local node does not run: start it with deploy/local/node.sh up (it imports what is built)"
    for name; do archives+=("$IMAGES/$name.tar"); done
    start=$SECONDS
    "$REPOSITORY/deploy/local/node.sh" import "${archives[@]}"
    say "imported $* in $((SECONDS - start)) s"
}
