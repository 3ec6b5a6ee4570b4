package main

import (
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// overrides takes calls that the simulator answers in another way than a vCenter, or not at all.
type overrides struct {
	Self  types.ManagedObjectReference
	watch *watch
}

var overridesRef = types.ManagedObjectReference{Type: "Overrides", Value: "overrides"}

func (o *overrides) Reference() types.ManagedObjectReference { return o.Self }

func overridden(method *simulator.Method) bool {
	switch method.Name {
	case "ShutdownGuest", "RefreshDatastoreStorageInfo", "ExportSnapshot",
		"HasPrivilegeOnEntities", "FetchUserPrivilegeOnEntities":
		return true
	case "HttpNfcLeaseProgress", "HttpNfcLeaseComplete", "HttpNfcLeaseAbort", "HttpNfcLeaseGetManifest":
		return method.This.Type == "HttpNfcLease"
	}
	return false
}

// ShutdownGuest needs tools that run, and a guest that listens.
func (o *overrides) ShutdownGuest(ctx *simulator.Context, req *types.ShutdownGuest) soap.HasFault {
	body := &methods.ShutdownGuestBody{}
	vm, ok := ctx.Map.Get(req.This).(*simulator.VirtualMachine)
	if !ok {
		body.Fault_ = simulator.Fault("", &types.ManagedObjectNotFound{Obj: req.This})
		return body
	}
	var result soap.HasFault = body
	ctx.WithLock(vm, func() {
		on := vm.Runtime.PowerState == types.VirtualMachinePowerStatePoweredOn
		running := vm.Guest.ToolsRunningStatus == string(types.VirtualMachineToolsRunningStatusGuestToolsRunning)
		switch {
		case on && !running:
			body.Fault_ = simulator.Fault("", new(types.ToolsUnavailable))
		case on && o.watch.ignoresShutdown(req.This):
			body.Res = new(types.ShutdownGuestResponse)
		default:
			result = vm.ShutdownGuest(ctx, req)
		}
	})
	return result
}

func (w *watch) ignoresShutdown(vm types.ManagedObjectReference) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := w.machines[vm.Value]
	return m != nil && m.GuestShutdown == "ignored"
}

// RefreshDatastoreStorageInfo has nothing to do: what a test has set is what there is.
func (o *overrides) RefreshDatastoreStorageInfo(*simulator.Context, *types.RefreshDatastoreStorageInfo) soap.HasFault {
	return &methods.RefreshDatastoreStorageInfoBody{Res: new(types.RefreshDatastoreStorageInfoResponse)}
}

// ExportSnapshot hands out a lease that the session does not own: it stands until it is ended or not renewed.
func (o *overrides) ExportSnapshot(ctx *simulator.Context, req *types.ExportSnapshot) soap.HasFault {
	snapshot, ok := ctx.Map.Get(req.This).(*simulator.VirtualMachineSnapshot)
	if !ok {
		return &methods.ExportSnapshotBody{Fault_: simulator.Fault("", &types.ManagedObjectNotFound{Obj: req.This})}
	}
	result := snapshot.ExportSnapshot(ctx, req)
	if body, ok := result.(*methods.ExportSnapshotBody); ok && body.Res != nil {
		o.watch.keepLease(ctx, body.Res.Returnval, snapshot.Vm)
	}
	return result
}
