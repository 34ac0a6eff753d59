// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
)

const (
	opText   = 1
	opBinary = 2
	opClose  = 8
	opPing   = 9
	opPong   = 10
)

// socket is a stream subresource: binary messages as bytes.  One goroutine reads, one writes; pings are
// answered while reading.
type socket struct {
	conn  net.Conn
	in    *bufio.Reader
	left  uint64 // of the binary frame that is being read
	write sync.Mutex
	pings atomic.Int64
}

// open asks for a subresource of the machine, "console" or "vnc?shared=true".
func (a *access) open(subresource string) (*socket, error) {
	conn, err := a.dial()
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(conn, "GET /apis/subresources.kubevirt.io/v1/namespaces/%s/virtualmachineinstances/%s/%s HTTP/1.1\r\n"+
		"Host: streams\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\nSec-WebSocket-Protocol: plain.kubevirt.io\r\n\r\n",
		a.namespace, a.name, subresource)
	in := bufio.NewReaderSize(conn, 64*1024)
	answer, err := http.ReadResponse(in, nil)
	if err != nil {
		conn.Close()
		return nil, fmt.Errorf("%s: %w", subresource, err)
	}
	if answer.StatusCode != http.StatusSwitchingProtocols {
		body, _ := io.ReadAll(io.LimitReader(answer.Body, 1000))
		conn.Close()
		return nil, fmt.Errorf("%s: %s: %s", subresource, answer.Status, body)
	}
	return &socket{conn: conn, in: in}, nil
}

func (s *socket) Close() error { return s.conn.Close() }

// send masks by zeros, which leaves the bytes as they are.
func (s *socket) send(op byte, data []byte) error {
	head := []byte{0x80 | op}
	switch {
	case len(data) < 126:
		head = append(head, 0x80|byte(len(data)))
	case len(data) < 1<<16:
		head = binary.BigEndian.AppendUint16(append(head, 0x80|126), uint16(len(data)))
	default:
		head = binary.BigEndian.AppendUint64(append(head, 0x80|127), uint64(len(data)))
	}
	s.write.Lock()
	defer s.write.Unlock()
	_, err := s.conn.Write(append(append(head, 0, 0, 0, 0), data...))
	return err
}

func (s *socket) Write(data []byte) (int, error) {
	return len(data), s.send(opBinary, data)
}

// frame reads a head, and all of a frame that is not binary.
func (s *socket) frame() error {
	head := make([]byte, 2)
	if _, err := io.ReadFull(s.in, head); err != nil {
		return err
	}
	n := uint64(head[1] & 0x7f)
	if n >= 126 {
		more := make([]byte, 8)
		size := 2 << (2 * (n - 126)) // 2 or 8
		if _, err := io.ReadFull(s.in, more[8-size:]); err != nil {
			return err
		}
		n = binary.BigEndian.Uint64(more)
	}
	op := head[0] & 0x0f
	if op == opBinary || op == 0 {
		s.left = n
		return nil
	}
	if n > 1<<16 {
		return fmt.Errorf("a frame of kind %d and %d bytes", op, n)
	}
	data := make([]byte, n)
	if _, err := io.ReadFull(s.in, data); err != nil {
		return err
	}
	switch op {
	case opPing:
		s.pings.Add(1)
		return s.send(opPong, data)
	case opClose:
		if n < 2 {
			return fmt.Errorf("closed without a code")
		}
		return fmt.Errorf("closed with %d %q", binary.BigEndian.Uint16(data), data[2:])
	}
	return nil
}

func (s *socket) Read(data []byte) (int, error) {
	for s.left == 0 {
		if err := s.frame(); err != nil {
			return 0, err
		}
	}
	n, err := s.in.Read(data[:min(uint64(len(data)), s.left)])
	s.left -= uint64(n)
	return n, err
}
