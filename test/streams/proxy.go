// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"sync/atomic"
	"time"
)

// proxy copies connections and cuts idle ones, as load balancers do.
type proxy struct {
	listener net.Listener
	to       string
	cut      time.Duration
	cuts     atomic.Int64
}

func startProxy(listen, to string, cut time.Duration) (*proxy, error) {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: l, to: to, cut: cut}
	go p.accept()
	return p, nil
}

func (p *proxy) accept() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		go p.carry(near)
	}
}

// carry ends both connections when either ends, or no byte has come from either for too long.
func (p *proxy) carry(near net.Conn) {
	defer near.Close()
	far, err := net.Dial("tcp", p.to)
	if err != nil {
		fmt.Fprintln(os.Stderr, "proxy:", err)
		return
	}
	defer far.Close()
	var last atomic.Int64
	last.Store(time.Now().UnixNano())
	ended := make(chan error, 2)
	for _, way := range [][2]net.Conn{{near, far}, {far, near}} {
		go func() {
			_, err := io.Copy(noting{way[1], &last}, way[0])
			ended <- err
		}()
	}
	for {
		idle := time.Since(time.Unix(0, last.Load()))
		if idle >= p.cut {
			p.cuts.Add(1)
			return
		}
		select {
		case <-ended:
			return
		case <-time.After(p.cut - idle):
		}
	}
}

// noting remembers when something was written.
type noting struct {
	net.Conn
	last *atomic.Int64
}

func (n noting) Write(data []byte) (int, error) {
	n.last.Store(time.Now().UnixNano())
	return n.Conn.Write(data)
}

func runProxy(args []string) error {
	f := flag.NewFlagSet("proxy", flag.ExitOnError)
	listen := f.String("listen", "127.0.0.1:0", "where to listen")
	to := f.String("to", "", "where connections go")
	cut := f.Duration("cut", time.Minute, "idle for this long: cut")
	f.Parse(args)
	if *to == "" {
		return errors.New("-to is missing")
	}
	p, err := startProxy(*listen, *to, *cut)
	if err != nil {
		return err
	}
	fmt.Println(p.listener.Addr())
	select {}
}
