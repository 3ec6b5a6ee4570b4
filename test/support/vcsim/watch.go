package main

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"time"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// watch sees every SOAP call and every download, and holds what a test has changed.
type watch struct {
	objects            *simulator.Registry
	username, password string

	mu        sync.Mutex
	settings  settings
	machines  map[string]*simulated // by managed object id
	leases    map[string]*lease
	downloads map[string]*download
	calls     map[string]int
	faults    map[string]*injected // by method
}

// simulated is a VM that a test described, with what it changed since.
type simulated struct {
	*machine
	ref        types.ManagedObjectReference
	deltaBytes int64 // what the VM has written since its newest snapshot
}

// injected is a fault that the next calls of a method answer with.
type injected struct {
	fault string
	times int
}

func newWatch(objects *simulator.Registry, s settings, username, password string) *watch {
	w := &watch{
		objects:   objects,
		username:  username,
		password:  password,
		settings:  s,
		machines:  map[string]*simulated{},
		leases:    map[string]*lease{},
		downloads: map[string]*download{},
		calls:     map[string]int{},
		faults:    map[string]*injected{},
	}
	objects.Put(&overrides{Self: overridesRef, watch: w})
	objects.Handler = w.call
	return w
}

// context is one outside of any request.
func (w *watch) context() *simulator.Context {
	ctx := simulator.NewContext()
	ctx.Map = w.objects
	ctx.Session.Map = w.objects
	return ctx
}

// call is told of every SOAP call before it is made.
func (w *watch) call(ctx *simulator.Context, method *simulator.Method) (mo.Reference, types.BaseMethodFault) {
	if method.Name == "RetrievePropertiesEx" || method.Name == "ContinueRetrievePropertiesEx" {
		w.tellStorage(ctx)
	}
	if method.Name == "Login" {
		time.Sleep(time.Duration(w.current().LoginDelay * float64(time.Second)))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls[method.Name]++
	if next := w.faults[method.Name]; next != nil && next.times > 0 {
		next.times--
		return nil, newFault(next.fault)
	}
	if ctx.Session == nil && strings.HasPrefix(method.Name, "RetrieveProperties") {
		// The simulator tells strangers what there is.
		return nil, &types.NotAuthenticated{NoPermission: types.NoPermission{Object: &method.This, PrivilegeId: "System.View"}}
	}
	if ctx.Session != nil && overridden(method) {
		// The method's own object stays in the request's body.
		method.This = overridesRef
	}
	return nil, nil
}

func newFault(name string) types.BaseMethodFault {
	kind, ok := types.TypeFunc()(name)
	if ok {
		if fault, ok := reflect.New(kind).Interface().(types.BaseMethodFault); ok {
			return fault
		}
	}
	return &types.SystemError{Reason: "no fault of this name: " + name}
}

// finish gives a VM that was made what the API does not.
func (w *watch) finish(m *machine, ref types.ManagedObjectReference) error {
	vm, ok := w.objects.Get(ref).(*simulator.VirtualMachine)
	if !ok {
		return fmt.Errorf("%s is not there", ref)
	}
	ctx := w.context()
	var failed error
	ctx.WithLock(vm, func() {
		devices, err := m.addDetails(object.VirtualDeviceList(vm.Config.Hardware.Device))
		if err != nil {
			failed = err
			return
		}
		vm.Config.Hardware.Device = devices
		vm.RefreshStorageInfo(ctx, nil)
		switch m.Tools {
		case "running":
			vm.Guest.ToolsRunningStatus = string(types.VirtualMachineToolsRunningStatusGuestToolsRunning)
			vm.Guest.ToolsStatus = types.VirtualMachineToolsStatusToolsOk
		case "notRunning":
			vm.Guest.ToolsStatus = types.VirtualMachineToolsStatusToolsNotRunning
		}
	})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.machines[ref.Value] = &simulated{machine: m, ref: ref}
	return failed
}
