// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	v1 "kubevirt.io/api/core/v1"
	kvcorev1 "kubevirt.io/client-go/kubevirt/typed/core/v1"

	"kubevirt.io/client-go/kubecli"
)

const (
	webPort    = 8080
	echoPort   = 7
	uploadPort = 7001
	udpPort    = 9007
	closedPort = 81
	page       = "page-of-the-guest"
)

// refused tells whether a stream was refused with this status before it began.
func refused(s kvcorev1.StreamInterface, err error, code int) error {
	var why *kvcorev1.AsyncSubresourceError
	if err == nil {
		s.AsConn().Close()
		return fmt.Errorf("a stream, where %d was expected", code)
	}
	if !errors.As(err, &why) {
		return fmt.Errorf("no status, where %d was expected: %w", code, err)
	}
	if why.GetStatusCode() != code {
		return fmt.Errorf("status %d instead of %d: %w", why.GetStatusCode(), code, err)
	}
	return nil
}

// within bounds everything that is read from and written to a stream.
func within(ctx context.Context, s kvcorev1.StreamInterface) net.Conn {
	conn := s.AsConn()
	if until, ok := ctx.Deadline(); ok {
		conn.SetDeadline(until)
	}
	return conn
}

// ---- console ----

func consoleCommand(ctx context.Context, c kubecli.KubevirtClient) (string, error) {
	return "", inGuest(ctx, c, "echo answer-$((6*7))", "answer-42")
}

func consoleTakeOver(ctx context.Context, c kubecli.KubevirtClient) (string, error) {
	older, err := openTerminal(c, *name)
	if err != nil {
		return "", err
	}
	defer older.close()
	newer, err := openTerminal(c, *name)
	if err != nil {
		return "", err
	}
	defer newer.close()
	for {
		select {
		case <-older.output:
		case <-older.end:
			return "", newer.shell(ctx)
		case <-ctx.Done():
			return "", fmt.Errorf("the older session goes on")
		}
	}
}

func consoleOfNone(ctx context.Context, c kubecli.KubevirtClient) (string, error) {
	s, err := c.VirtualMachineInstance(*namespace).SerialConsole("nobody", &kvcorev1.SerialConsoleOptions{})
	return "", refused(s, err, http.StatusNotFound)
}

// ---- screen ----

// handshake is RFB 3.8 without a password, up to the size of the screen.
func handshake(conn io.ReadWriter) (string, error) {
	var init struct {
		Width, Height uint16
		Format        [16]byte
		NameLen       uint32
	}
	version := make([]byte, 12)
	count := make([]byte, 1)
	result := make([]byte, 4)
	if _, err := io.ReadFull(conn, version); err != nil {
		return "", err
	}
	if !bytes.HasPrefix(version, []byte("RFB 003.")) {
		return "", fmt.Errorf("not RFB: %q", version)
	}
	if _, err := conn.Write([]byte("RFB 003.008\n")); err != nil {
		return "", err
	}
	if _, err := io.ReadFull(conn, count); err != nil {
		return "", err
	}
	types := make([]byte, count[0])
	if _, err := io.ReadFull(conn, types); err != nil {
		return "", err
	}
	if !bytes.Contains(types, []byte{1}) {
		return "", fmt.Errorf("no security type None among %v", types)
	}
	if _, err := conn.Write([]byte{1}); err != nil {
		return "", err
	}
	if _, err := io.ReadFull(conn, result); err != nil {
		return "", err
	}
	if _, err := conn.Write([]byte{1}); err != nil {
		return "", err
	}
	if err := binary.Read(conn, binary.BigEndian, &init); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s, %d x %d", bytes.TrimSpace(version), init.Width, init.Height), nil
}

func vnc(ctx context.Context, c kubecli.KubevirtClient) (string, error) {
	s, err := c.VirtualMachineInstance(*namespace).VNC(*name, false)
	if err != nil {
		return "", err
	}
	conn := within(ctx, s)
	defer conn.Close()
	return handshake(conn)
}

func vncPreserve(ctx context.Context, c kubecli.KubevirtClient) (string, error) {
	s, err := c.VirtualMachineInstance(*namespace).VNC(*name, false)
	if err != nil {
		return "", err
	}
	conn := within(ctx, s)
	defer conn.Close()
	if _, err := handshake(conn); err != nil {
		return "", err
	}
	second, err := c.VirtualMachineInstance(*namespace).VNC(*name, true)
	return "", refused(second, err, http.StatusServiceUnavailable)
}

func screenshot(ctx context.Context, c kubecli.KubevirtClient) (string, error) {
	picture, err := c.VirtualMachineInstance(*namespace).Screenshot(ctx, *name, &v1.ScreenshotOptions{})
	if err != nil {
		return "", err
	}
	if !bytes.HasPrefix(picture, []byte("\x89PNG\r\n")) {
		return "", fmt.Errorf("not a PNG: %q", picture[:min(len(picture), 20)])
	}
	return fmt.Sprintf("%d bytes", len(picture)), nil
}

// ---- ports ----

func get(conn net.Conn) error {
	if _, err := io.WriteString(conn, "GET /page HTTP/1.0\r\n\r\n"); err != nil {
		return err
	}
	answer, err := io.ReadAll(conn)
	if !bytes.Contains(answer, []byte(page)) {
		return fmt.Errorf("another page: %q, %w", answer, err)
	}
	return nil
}

// forwardTCP reads a page and has bytes sent back, both at once.
func forwardTCP(ctx context.Context, c kubecli.KubevirtClient) (string, error) {
	command := fmt.Sprintf("echo %s >/tmp/page; httpd -p %d -h /tmp; nc -ll -p %d -e cat </dev/null & sleep 1; echo serves-$((1+1))",
		page, webPort, echoPort)
	if err := inGuest(ctx, c, command, "serves-2"); err != nil {
		return "", err
	}
	echo, err := c.VirtualMachineInstance(*namespace).PortForward(*name, echoPort, "tcp")
	if err != nil {
		return "", err
	}
	conn := within(ctx, echo)
	defer conn.Close()
	web, err := c.VirtualMachineInstance(*namespace).PortForward(*name, webPort, "")
	if err != nil {
		return "", err
	}
	other := within(ctx, web)
	defer other.Close()
	if err := get(other); err != nil {
		return "", err
	}
	sent := bytes.Repeat([]byte("0123456789abcdef"), 64*1024)
	go conn.Write(sent)
	got := make([]byte, len(sent))
	if _, err := io.ReadFull(conn, got); err != nil {
		return "", err
	}
	if !bytes.Equal(sent, got) {
		return "", fmt.Errorf("the echo differs")
	}
	return fmt.Sprintf("a page, an echo of %d bytes", len(got)), nil
}

func forwardVM(ctx context.Context, c kubecli.KubevirtClient) (string, error) {
	s, err := c.VirtualMachine(*namespace).PortForward(*name, webPort, "tcp")
	if err != nil {
		return "", err
	}
	conn := within(ctx, s)
	defer conn.Close()
	return "", get(conn)
}

func forwardClosed(ctx context.Context, c kubecli.KubevirtClient) (string, error) {
	s, err := c.VirtualMachineInstance(*namespace).PortForward(*name, closedPort, "tcp")
	return "", refused(s, err, http.StatusInternalServerError)
}

// upload brings a program to the guest through a forwarded port.  A listener that ends its own side would end the tunnel.
func upload(ctx context.Context, c kubecli.KubevirtClient, file, target string) error {
	program, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := inGuest(ctx, c, fmt.Sprintf("sleep 60 | nc -l -p %d >%s & sleep 1; echo waits-$((1+1))", uploadPort, target), "waits-2"); err != nil {
		return err
	}
	s, err := c.VirtualMachineInstance(*namespace).PortForward(*name, uploadPort, "tcp")
	if err != nil {
		return err
	}
	conn := within(ctx, s)
	if _, err := conn.Write(program); err != nil {
		return err
	}
	conn.Close()
	want := fmt.Sprintf("size-%d", len(program))
	return inGuest(ctx, c, fmt.Sprintf("for i in 1 2 3 4 5 6 7 8 9; do [ $(wc -c <%s) -lt %d ] && sleep 1; done; chmod +x %s; echo size-$(wc -c <%s)",
		target, len(program), target, target), want)
}

func forwardUDP(ctx context.Context, c kubecli.KubevirtClient) (string, error) {
	if *udpEcho == "" {
		return "left out, no -udp-echo", nil
	}
	if err := upload(ctx, c, *udpEcho, "/tmp/udp-echo"); err != nil {
		return "", fmt.Errorf("upload: %w", err)
	}
	// A copy: what brought the program may still hold it open, and then it cannot be run.  What arrives before it
	// has its socket is answered with "port unreachable", and gone.
	listen := fmt.Sprintf("cp /tmp/udp-echo /tmp/ue; /tmp/ue %d </dev/null & until grep -q ':%04X ' /proc/net/udp; do sleep 1; done; echo listens-$((1+1))",
		udpPort, udpPort)
	if err := inGuest(ctx, c, listen, "listens-2"); err != nil {
		return "", err
	}
	s, err := c.VirtualMachineInstance(*namespace).PortForward(*name, udpPort, "udp")
	if err != nil {
		return "", err
	}
	conn := within(ctx, s)
	defer conn.Close()
	for n, datagram := range []string{"one", "two, longer", strings.Repeat("x", 1400)} {
		if err := echoed(conn, datagram); err != nil {
			return "", fmt.Errorf("datagram %d: %w; the guest: %s", n+1, err, udpOfGuest(c))
		}
	}
	return "three datagrams and back", nil
}

// echoed allows a datagram 20 s: nothing sends it again.
func echoed(conn net.Conn, datagram string) error {
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, datagram); err != nil {
		return err
	}
	answer := make([]byte, len(datagram))
	if _, err := io.ReadFull(conn, answer); err != nil {
		return err
	}
	if string(answer) != datagram {
		return fmt.Errorf("%q came back for %q", answer, datagram)
	}
	return nil
}

// udpOfGuest says what became of datagrams in the guest: InDatagrams NoPorts InErrors OutDatagrams, and who listens.
func udpOfGuest(c kubecli.KubevirtClient) string {
	ctx, cancel := context.WithTimeout(context.Background(), 40*time.Second)
	defer cancel()
	t, err := openTerminal(c, *name)
	if err != nil {
		return err.Error()
	}
	defer t.close()
	if err := t.shell(ctx); err != nil {
		return err.Error()
	}
	if err := t.run(ctx, "grep Udp: /proc/net/snmp; cat /proc/net/udp; echo all-$((1+1))", "all-2"); err != nil {
		return err.Error()
	}
	return string(t.before)
}

// ---- devices ----

// usbredir reads QEMU's hello: type 0, its length, an id; then a version of 64 bytes.
func usbredir(ctx context.Context, c kubecli.KubevirtClient) (string, error) {
	s, err := c.VirtualMachineInstance(*namespace).USBRedir(*name)
	if err != nil {
		return "", err
	}
	conn := within(ctx, s)
	defer conn.Close()
	hello := make([]byte, 12+64)
	if _, err := io.ReadFull(conn, hello); err != nil {
		return "", err
	}
	version := string(bytes.TrimRight(hello[12:], "\x00"))
	if binary.LittleEndian.Uint32(hello) != 0 || version == "" {
		return "", fmt.Errorf("no hello: %q", hello)
	}
	return version, nil
}

// vsock is served where the node has it; elsewhere a machine cannot have it, and the stream is refused.
func vsock(ctx context.Context, c kubecli.KubevirtClient) (string, error) {
	nodes, err := c.CoreV1().Nodes().List(ctx, metav1.ListOptions{})
	if err != nil {
		return "", err
	}
	note := "no node has vhost-vsock, refused as a machine without it"
	for _, node := range nodes.Items {
		if q, ok := node.Status.Allocatable["devices.kubevirt.io/vhost-vsock"]; ok && !q.IsZero() {
			note = "a node has vhost-vsock, this machine does not ask for it: refused"
		}
	}
	s, err := c.VirtualMachineInstance(*namespace).VSOCK(*name, &v1.VSOCKOptions{TargetPort: 1234})
	return note, refused(s, err, http.StatusBadRequest)
}

// ---- ends of the guest, seen on its console ----

func rebootsBy(ctx context.Context, c kubecli.KubevirtClient, ask func() error) (string, error) {
	t, err := openTerminal(c, *name)
	if err != nil {
		return "", err
	}
	defer t.close()
	if err := t.shell(ctx); err != nil {
		return "", err
	}
	t.seen = nil
	if err := ask(); err != nil {
		return "", err
	}
	began := time.Now()
	if err := t.expect(ctx, "login:", *timeout); err != nil {
		return "", err
	}
	return fmt.Sprintf("login again after %.0f s", time.Since(began).Seconds()), nil
}

func softReboot(ctx context.Context, c kubecli.KubevirtClient) (string, error) {
	return rebootsBy(ctx, c, func() error { return c.VirtualMachineInstance(*namespace).SoftReboot(ctx, *name) })
}

func reset(ctx context.Context, c kubecli.KubevirtClient) (string, error) {
	return rebootsBy(ctx, c, func() error { return c.VirtualMachineInstance(*namespace).Reset(ctx, *name) })
}
