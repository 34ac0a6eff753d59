//go:build tools

// The programs that build.sh builds; naming them here keeps them in go.mod and go.sum.
package tools

import (
	_ "go.etcd.io/etcd/server/v3"
)
