// SPDX-License-Identifier: Apache-2.0

// goclient drives a machine through upstream's own Go client, unchanged: what
// works here works for every program that was written for upstream.
//
//	goclient -kubeconfig FILE -namespace NS -name VM [-image IMAGE] [-udp-echo PROGRAM]
//
// Every stream and subresource that the client knows is asked for.  It prints
// one line a step and exits 1 at the first step that fails.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	v1 "kubevirt.io/api/core/v1"
	"kubevirt.io/client-go/kubecli"
)

const userData = "#cloud-config\nhostname: goclient\n"

var (
	namespace = flag.String("namespace", "default", "namespace of the machine")
	name      = flag.String("name", "goclient", "name of the machine")
	image     = flag.String("image", "localhost/cvirt/guest-disk:devel", "container disk")
	kubecfg   = flag.String("kubeconfig", os.Getenv("KUBECONFIG"), "kubeconfig")
	udpEcho   = flag.String("udp-echo", "", "static program for the guest that echoes UDP; without it that step is left out")
	timeout   = flag.Duration("timeout", 90*time.Second, "for each step")
)

// A step may say something about what it found.
type step struct {
	name string
	run  func(ctx context.Context, c kubecli.KubevirtClient) (string, error)
}

func machine() *v1.VirtualMachine {
	strategy := v1.RunStrategyManual
	grace := int64(20)
	vm := &v1.VirtualMachine{}
	vm.Name = *name
	vm.Spec.RunStrategy = &strategy
	vm.Spec.Template = &v1.VirtualMachineInstanceTemplateSpec{}
	spec := &vm.Spec.Template.Spec
	spec.TerminationGracePeriodSeconds = &grace
	spec.Domain.Devices.ClientPassthrough = &v1.ClientPassthroughDevices{}
	spec.Domain.Resources.Requests = corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("160Mi")}
	spec.Domain.Devices.Disks = []v1.Disk{
		{Name: "root", DiskDevice: v1.DiskDevice{Disk: &v1.DiskTarget{Bus: v1.DiskBusVirtio}}},
		{Name: "cloudinit", DiskDevice: v1.DiskDevice{Disk: &v1.DiskTarget{Bus: v1.DiskBusVirtio}}},
	}
	spec.Domain.Devices.Interfaces = []v1.Interface{{
		Name:                   "default",
		InterfaceBindingMethod: v1.InterfaceBindingMethod{Masquerade: &v1.InterfaceMasquerade{}},
	}}
	spec.Networks = []v1.Network{*v1.DefaultPodNetwork()}
	spec.Volumes = []v1.Volume{
		{Name: "root", VolumeSource: v1.VolumeSource{ContainerDisk: &v1.ContainerDiskSource{
			Image: *image, ImagePullPolicy: corev1.PullIfNotPresent}}},
		{Name: "cloudinit", VolumeSource: v1.VolumeSource{CloudInitNoCloud: &v1.CloudInitNoCloudSource{
			UserData: userData}}},
	}
	return vm
}

// until polls a condition of the machine's instance.
func until(ctx context.Context, c kubecli.KubevirtClient, holds func(*v1.VirtualMachineInstance) bool) error {
	for {
		vmi, err := c.VirtualMachineInstance(*namespace).Get(ctx, *name, metav1.GetOptions{})
		if err == nil && holds(vmi) {
			return nil
		}
		if err != nil && holds(nil) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("still not: last error %v", err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func running(vmi *v1.VirtualMachineInstance) bool {
	return vmi != nil && vmi.Status.Phase == v1.Running
}

func paused(vmi *v1.VirtualMachineInstance) bool {
	if vmi == nil {
		return false
	}
	for _, c := range vmi.Status.Conditions {
		if c.Type == v1.VirtualMachineInstancePaused && c.Status == corev1.ConditionTrue {
			return true
		}
	}
	return false
}

func create(ctx context.Context, c kubecli.KubevirtClient) (string, error) {
	_, err := c.VirtualMachine(*namespace).Create(ctx, machine(), metav1.CreateOptions{})
	return "", err
}

func start(ctx context.Context, c kubecli.KubevirtClient) (string, error) {
	if err := c.VirtualMachine(*namespace).Start(ctx, *name, &v1.StartOptions{}); err != nil {
		return "", err
	}
	return "", until(ctx, c, running)
}

// watchInstance sees the instance that runs through an ordinary watch.
func watchInstance(ctx context.Context, c kubecli.KubevirtClient) (string, error) {
	w, err := c.VirtualMachineInstance(*namespace).Watch(ctx, metav1.ListOptions{})
	if err != nil {
		return "", err
	}
	defer w.Stop()
	for event := range w.ResultChan() {
		vmi, ok := event.Object.(*v1.VirtualMachineInstance)
		if ok && event.Type != watch.Deleted && vmi.Name == *name && running(vmi) {
			return "", nil
		}
	}
	return "", fmt.Errorf("the watch ended without the instance")
}

func pause(ctx context.Context, c kubecli.KubevirtClient) (string, error) {
	if err := c.VirtualMachineInstance(*namespace).Pause(ctx, *name, &v1.PauseOptions{}); err != nil {
		return "", err
	}
	return "", until(ctx, c, paused)
}

func unpause(ctx context.Context, c kubecli.KubevirtClient) (string, error) {
	if err := c.VirtualMachineInstance(*namespace).Unpause(ctx, *name, &v1.UnpauseOptions{}); err != nil {
		return "", err
	}
	return "", until(ctx, c, func(vmi *v1.VirtualMachineInstance) bool { return vmi != nil && !paused(vmi) })
}

func guestInfo(ctx context.Context, c kubecli.KubevirtClient) (string, error) {
	for {
		info, err := c.VirtualMachineInstance(*namespace).GuestOsInfo(ctx, *name)
		if err == nil && info.GAVersion != "" {
			return info.GAVersion + " on " + info.OS.PrettyName, nil
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("no guest agent: %v", err)
		case <-time.After(time.Second):
		}
	}
}

func restart(ctx context.Context, c kubecli.KubevirtClient) (string, error) {
	before, err := c.VirtualMachineInstance(*namespace).Get(ctx, *name, metav1.GetOptions{})
	if err != nil {
		return "", err
	}
	if err := c.VirtualMachine(*namespace).Restart(ctx, *name, &v1.RestartOptions{}); err != nil {
		return "", err
	}
	return "", until(ctx, c, func(vmi *v1.VirtualMachineInstance) bool {
		return running(vmi) && vmi.UID != before.UID
	})
}

func stop(ctx context.Context, c kubecli.KubevirtClient) (string, error) {
	if err := c.VirtualMachine(*namespace).Stop(ctx, *name, &v1.StopOptions{}); err != nil {
		return "", err
	}
	return "", until(ctx, c, func(vmi *v1.VirtualMachineInstance) bool { return vmi == nil })
}

func remove(ctx context.Context, c kubecli.KubevirtClient) (string, error) {
	return "", c.VirtualMachine(*namespace).Delete(ctx, *name, metav1.DeleteOptions{})
}

func main() {
	flag.Parse()
	c, err := kubecli.GetKubevirtClientFromFlags("", *kubecfg)
	if err != nil {
		fmt.Println("not ok - client:", err)
		os.Exit(1)
	}
	steps := []step{
		{"version", serverVersion}, {"create", create}, {"expand", expand}, {"start", start}, {"watch", watchInstance},
		{"console: log in, a command, its output", consoleCommand}, {"console: a newer session ends the older", consoleTakeOver},
		{"console: a machine that is not there is refused", consoleOfNone},
		{"vnc: handshake", vnc}, {"vnc: preserveSession is refused while another types", vncPreserve}, {"vnc: screenshot", screenshot},
		{"portforward: TCP", forwardTCP}, {"portforward: TCP of the VM", forwardVM}, {"portforward: a closed port is refused", forwardClosed},
		{"portforward: UDP", forwardUDP}, {"usbredir: hello", usbredir}, {"vsock", vsock},
		{"pause", pause}, {"unpause", unpause}, {"guestosinfo", guestInfo}, {"userlist", userList}, {"filesystemlist", filesystemList},
		{"softreboot", softReboot}, {"reset", reset}, {"the rest is refused by status", unserved},
		{"restart", restart}, {"stop", stop}, {"delete", remove},
	}
	for i, s := range steps {
		ctx, cancel := context.WithTimeout(context.Background(), *timeout)
		began := time.Now()
		note, err := s.run(ctx, c)
		cancel()
		if err != nil {
			fmt.Printf("not ok %d - %s: %v\n", i+1, s.name, err)
			os.Exit(1)
		}
		if note != "" {
			note = ": " + note
		}
		fmt.Printf("ok %d - %s%s (%.1f s)\n", i+1, s.name, note, time.Since(began).Seconds())
	}
	fmt.Printf("%d passed, 0 failed\n", len(steps))
}
