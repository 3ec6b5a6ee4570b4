package main

import (
	"sort"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// state is what tests assert on.
type state struct {
	Snapshots []snapshotState   `json:"snapshots"` // those that exist now
	Leases    []lease           `json:"leases"`    // all since the start
	Downloads []download        `json:"downloads"` // all since the start, one entry per path
	Calls     map[string]int    `json:"calls"`     // SOAP method → calls
	Sessions  int               `json:"sessions"`  // those that are logged in now
	Power     map[string]string `json:"power"`     // described VM's managed object id → poweredOn, …
	settings
}

type snapshotState struct {
	VM   string `json:"vm"`
	Name string `json:"name"`
	Ref  string `json:"ref"`
}

func (w *watch) state() state {
	s := state{
		Snapshots: []snapshotState{}, Leases: []lease{}, Downloads: []download{},
		Calls: map[string]int{}, Sessions: len(w.sessions()), Power: map[string]string{},
	}
	w.readMachines(&s)
	w.mu.Lock()
	defer w.mu.Unlock()
	s.settings = w.settings
	for _, entry := range w.leases {
		s.Leases = append(s.Leases, *entry)
	}
	for _, entry := range w.downloads {
		s.Downloads = append(s.Downloads, *entry)
	}
	for name, count := range w.calls {
		s.Calls[name] = count
	}
	sort.Slice(s.Leases, func(i, j int) bool { return s.Leases[i].made.Before(s.Leases[j].made) })
	sort.Slice(s.Downloads, func(i, j int) bool { return s.Downloads[i].Path < s.Downloads[j].Path })
	return s
}

func (w *watch) readMachines(s *state) {
	ctx := w.context()
	for _, entity := range w.objects.All("VirtualMachine") {
		vm, ok := entity.(*simulator.VirtualMachine)
		if !ok {
			continue
		}
		ctx.WithLock(vm, func() {
			if vm.Snapshot != nil {
				s.Snapshots = collect(s.Snapshots, vm.Name, vm.Snapshot.RootSnapshotList)
			}
			if w.described(vm.Self) {
				s.Power[vm.Self.Value] = string(vm.Runtime.PowerState)
			}
		})
	}
}

func (w *watch) described(ref types.ManagedObjectReference) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.machines[ref.Value] != nil
}

func collect(found []snapshotState, vm string, tree []types.VirtualMachineSnapshotTree) []snapshotState {
	for _, node := range tree {
		found = append(found, snapshotState{VM: vm, Name: node.Name, Ref: node.Snapshot.Value})
		found = collect(found, vm, node.ChildSnapshotList)
	}
	return found
}
