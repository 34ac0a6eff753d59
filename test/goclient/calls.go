// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	backupv1 "kubevirt.io/api/backup/v1alpha1"
	v1 "kubevirt.io/api/core/v1"

	"kubevirt.io/client-go/kubecli"
)

func serverVersion(ctx context.Context, c kubecli.KubevirtClient) (string, error) {
	info, err := c.ServerVersion().Get()
	if err != nil {
		return "", err
	}
	return info.GitVersion, nil
}

func expand(ctx context.Context, c kubecli.KubevirtClient) (string, error) {
	vm, err := c.VirtualMachine(*namespace).GetWithExpandedSpec(ctx, *name)
	if err != nil {
		return "", err
	}
	if vm.Name != *name {
		return "", fmt.Errorf("another machine: %q", vm.Name)
	}
	if vm, err = c.ExpandSpec(*namespace).ForVirtualMachine(machine()); err != nil {
		return "", err
	}
	if len(vm.Spec.Template.Spec.Volumes) != len(machine().Spec.Template.Spec.Volumes) {
		return "", fmt.Errorf("other volumes: %v", vm.Spec.Template.Spec.Volumes)
	}
	return "", nil
}

// untilAnswered repeats a question to the guest agent, which starts after the guest.
func untilAnswered(ctx context.Context, ask func() (string, error)) (string, error) {
	for {
		note, err := ask()
		if err == nil {
			return note, nil
		}
		select {
		case <-ctx.Done():
			return "", err
		case <-time.After(time.Second):
		}
	}
}

func userList(ctx context.Context, c kubecli.KubevirtClient) (string, error) {
	return untilAnswered(ctx, func() (string, error) {
		list, err := c.VirtualMachineInstance(*namespace).UserList(ctx, *name)
		return fmt.Sprintf("%d logged in", len(list.Items)), err
	})
}

func filesystemList(ctx context.Context, c kubecli.KubevirtClient) (string, error) {
	return untilAnswered(ctx, func() (string, error) {
		list, err := c.VirtualMachineInstance(*namespace).FilesystemList(ctx, *name)
		return fmt.Sprintf("%d mounted", len(list.Items)), err
	})
}

// unserved asks for what else the client knows.  Whether it is served is said, not demanded; but a refusal
// is a status that the client understands.
func unserved(ctx context.Context, c kubecli.KubevirtClient) (string, error) {
	vm, vmi := c.VirtualMachine(*namespace), c.VirtualMachineInstance(*namespace)
	calls := []struct {
		name string
		run  func() error
	}{
		{"evacuate/cancel", func() error { return vmi.EvacuateCancel(ctx, *name, &v1.EvacuateCancelOptions{}) }},
		{"freeze", func() error { return vmi.Freeze(ctx, *name, time.Second) }},
		{"unfreeze", func() error { return vmi.Unfreeze(ctx, *name) }},
		{"addvolume", func() error { return vmi.AddVolume(ctx, *name, &v1.AddVolumeOptions{Name: "none"}) }},
		{"removevolume", func() error { return vmi.RemoveVolume(ctx, *name, &v1.RemoveVolumeOptions{Name: "none"}) }},
		{"addvolume of the VM", func() error { return vm.AddVolume(ctx, *name, &v1.AddVolumeOptions{Name: "none"}) }},
		{"removevolume of the VM", func() error { return vm.RemoveVolume(ctx, *name, &v1.RemoveVolumeOptions{Name: "none"}) }},
		{"memorydump", func() error { return vm.MemoryDump(ctx, *name, &v1.VirtualMachineMemoryDumpRequest{ClaimName: "none"}) }},
		{"removememorydump", func() error { return vm.RemoveMemoryDump(ctx, *name) }},
		{"objectgraph", func() error { _, err := vmi.ObjectGraph(ctx, *name, &v1.ObjectGraphOptions{}); return err }},
		{"backup", func() error { return vmi.Backup(ctx, *name, &backupv1.BackupOptions{}) }},
		{"redefine-checkpoint", func() error { return vmi.RedefineCheckpoint(ctx, *name, &backupv1.BackupCheckpoint{}) }},
		{"sev/fetchcertchain", func() error { _, err := vmi.SEVFetchCertChain(ctx, *name); return err }},
		{"sev/querylaunchmeasurement", func() error { _, err := vmi.SEVQueryLaunchMeasurement(ctx, *name); return err }},
		{"sev/setupsession", func() error { return vmi.SEVSetupSession(ctx, *name, &v1.SEVSessionOptions{}) }},
		{"sev/injectlaunchsecret", func() error { return vmi.SEVInjectLaunchSecret(ctx, *name, &v1.SEVSecretOptions{}) }},
		{"migrate", func() error {
			return vm.Migrate(ctx, *name, &v1.MigrateOptions{DryRun: []string{metav1.DryRunAll}})
		}},
	}
	var served, absent []string
	for _, call := range calls {
		err := call.run()
		var status apierrors.APIStatus
		switch {
		case err == nil:
			served = append(served, call.name)
		case !errors.As(err, &status):
			return "", fmt.Errorf("%s: no status: %w", call.name, err)
		case status.Status().Code == 404:
			absent = append(absent, call.name)
		default:
			served = append(served, fmt.Sprintf("%s (%d)", call.name, status.Status().Code))
		}
	}
	return fmt.Sprintf("not there: %s; served: %s", strings.Join(absent, ", "), strings.Join(served, ", ")), nil
}
