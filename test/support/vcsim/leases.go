package main

import (
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// lease is what tests see of one, and what the simulator itself does not do with it: it ends when it is not renewed.
type lease struct {
	Ref     string `json:"ref"`
	VM      string `json:"vm"`
	State   string `json:"state"` // ready, completed, aborted, or expired: not renewed within the timeout
	made    time.Time
	timeout time.Duration
	timer   *time.Timer
	keys    map[string]string // file → key of its URL
	sent    map[string]digest // file → what was sent of it, when it was sent whole
}

func (w *watch) keepLease(ctx *simulator.Context, ref, vm types.ManagedObjectReference) {
	object, ok := ctx.Session.Registry.Get(ref).(*simulator.HttpNfcLease)
	if !ok {
		return
	}
	ctx.Session.Registry.Remove(ctx, ref)
	w.objects.Put(object)
	name := ""
	if machine, ok := ctx.Map.Get(vm).(*simulator.VirtualMachine); ok {
		name = machine.Name
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	timeout := time.Duration(w.settings.LeaseTimeout * float64(time.Second))
	entry := &lease{
		Ref: ref.Value, VM: name, State: "ready", made: time.Now(), timeout: timeout,
		keys: map[string]string{}, sent: map[string]digest{},
	}
	for _, url := range object.Info.DeviceUrl {
		entry.keys[url.TargetId] = url.Key
	}
	// The real one counts in whole seconds.
	object.Info.LeaseTimeout = int32(max(1, w.settings.LeaseTimeout))
	entry.timer = time.AfterFunc(timeout, func() { w.expire(ref) })
	w.leases[ref.Value] = entry
}

func (w *watch) expire(ref types.ManagedObjectReference) {
	w.mu.Lock()
	entry := w.leases[ref.Value]
	over := entry == nil || entry.State != "ready"
	if !over {
		entry.State = "expired"
	}
	w.mu.Unlock()
	object, ok := w.objects.Get(ref).(*simulator.HttpNfcLease)
	if over || !ok {
		return
	}
	ctx := w.context()
	ctx.WithLock(object, func() {
		ctx.Update(object, []types.PropertyChange{
			{Name: "state", Val: types.HttpNfcLeaseStateError},
			{Name: "error", Val: &types.LocalizedMethodFault{
				Fault: new(types.Timedout), LocalizedMessage: "The lease was not renewed in time.",
			}},
		})
	})
}

// endLease notes an end; false when there is no such lease any more.
func (w *watch) endLease(ctx *simulator.Context, ref types.ManagedObjectReference, state string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	entry := w.leases[ref.Value]
	if entry == nil || entry.State != "ready" {
		return false
	}
	entry.timer.Stop()
	entry.State = state
	w.objects.Remove(ctx, ref)
	return true
}

func (o *overrides) HttpNfcLeaseProgress(
	ctx *simulator.Context, req *types.HttpNfcLeaseProgress,
) soap.HasFault {
	w := o.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	entry := w.leases[req.This.Value]
	switch {
	case entry == nil || entry.State == "completed" || entry.State == "aborted":
		return &methods.HttpNfcLeaseProgressBody{Fault_: gone(req.This)}
	case entry.State == "expired":
		return &methods.HttpNfcLeaseProgressBody{Fault_: simulator.Fault("", new(types.Timedout))}
	}
	entry.timer.Reset(entry.timeout)
	return &methods.HttpNfcLeaseProgressBody{Res: new(types.HttpNfcLeaseProgressResponse)}
}

func (o *overrides) HttpNfcLeaseComplete(
	ctx *simulator.Context, req *types.HttpNfcLeaseComplete,
) soap.HasFault {
	if !o.watch.endLease(ctx, req.This, "completed") {
		return &methods.HttpNfcLeaseCompleteBody{Fault_: gone(req.This)}
	}
	return &methods.HttpNfcLeaseCompleteBody{Res: new(types.HttpNfcLeaseCompleteResponse)}
}

func (o *overrides) HttpNfcLeaseAbort(ctx *simulator.Context, req *types.HttpNfcLeaseAbort) soap.HasFault {
	if !o.watch.endLease(ctx, req.This, "aborted") {
		return &methods.HttpNfcLeaseAbortBody{Fault_: gone(req.This)}
	}
	return &methods.HttpNfcLeaseAbortBody{Res: new(types.HttpNfcLeaseAbortResponse)}
}

// HttpNfcLeaseGetManifest tells of the files that were sent whole, when the settings offer digests.
func (o *overrides) HttpNfcLeaseGetManifest(
	_ *simulator.Context, req *types.HttpNfcLeaseGetManifest,
) soap.HasFault {
	w := o.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	entry := w.leases[req.This.Value]
	if entry == nil || entry.State != "ready" {
		return &methods.HttpNfcLeaseGetManifestBody{Fault_: gone(req.This)}
	}
	answer := new(types.HttpNfcLeaseGetManifestResponse)
	if w.settings.Manifest != "" {
		for file, sent := range entry.sent {
			answer.Returnval = append(answer.Returnval, sent.entry(entry.keys[file], w.settings.Manifest))
		}
	}
	return &methods.HttpNfcLeaseGetManifestBody{Res: answer}
}

func gone(ref types.ManagedObjectReference) *soap.Fault {
	return simulator.Fault("", &types.ManagedObjectNotFound{Obj: ref})
}
