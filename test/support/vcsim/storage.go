package main

import (
	"path"
	"strings"
	"syscall"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// deltaKey begins the keys of files that are only told of. The simulator makes no delta files.
const deltaKey = 9000

// tellStorage writes into each described VM's layoutEx what a vCenter would: blocks that are allocated rather than the
// size of a sparse file, and the deltas of a VM that has a snapshot.
func (w *watch) tellStorage(ctx *simulator.Context) {
	w.mu.Lock()
	machines := make([]simulated, 0, len(w.machines))
	for _, m := range w.machines {
		machines = append(machines, *m)
	}
	w.mu.Unlock()
	for _, m := range machines {
		vm, ok := w.objects.Get(m.ref).(*simulator.VirtualMachine)
		if !ok || vm.LayoutEx == nil {
			continue
		}
		ctx.WithLock(vm, func() { m.tell(ctx, vm) })
	}
}

func (m *simulated) tell(ctx *simulator.Context, vm *simulator.VirtualMachine) {
	layout := vm.LayoutEx
	files := layout.File[:0:0]
	var committed int64
	for _, file := range layout.File {
		if file.Key >= deltaKey {
			continue
		}
		if size, ok := m.allocated(ctx, vm, file.Name); ok {
			file.Size = size
			file.UniqueSize = size
		}
		committed += file.Size
		files = append(files, file)
	}
	for i := range layout.Disk {
		chain := layout.Disk[i].Chain
		if last := len(chain) - 1; last >= 0 && chain[last].FileKey[0] >= deltaKey {
			chain = chain[:last]
		}
		if vm.Snapshot != nil {
			size := int64(0)
			if i == 0 {
				size = m.deltaBytes
			}
			key := int32(deltaKey + i)
			name := sibling(vm.Config.Files.VmPathName, strings.TrimSuffix(m.Disks[i].Name, ".vmdk")+"-000001-delta.vmdk")
			files = append(files, types.VirtualMachineFileLayoutExFileInfo{
				Key: key, Name: name, Type: "diskExtent", Size: size, UniqueSize: size, Accessible: types.NewBool(true),
			})
			committed += size
			chain = append(chain[:len(chain):len(chain)], types.VirtualMachineFileLayoutExDiskUnit{FileKey: []int32{key}})
		}
		layout.Disk[i].Chain = chain
	}
	layout.File = files
	if vm.Summary.Storage != nil {
		vm.Summary.Storage.Committed = committed
	}
}

// allocated is what a described disk's flat file takes up.
func (m *simulated) allocated(ctx *simulator.Context, vm *simulator.VirtualMachine, file string) (int64, bool) {
	var at object.DatastorePath
	at.FromString(file)
	for _, d := range m.Disks {
		switch path.Base(at.Path) {
		case d.Name:
			// The descriptor; what stands in its place here is the stream of an export.
			return 512, true
		case flatName(d.Name):
			if d.UsedBytes > 0 {
				return d.UsedBytes, true
			}
			for _, ref := range vm.Datastore {
				store, ok := ctx.Map.Get(ref).(*simulator.Datastore)
				if !ok || store.Name != at.Datastore {
					continue
				}
				var info syscall.Stat_t
				if err := syscall.Stat(path.Join(store.Summary.Url, at.Path), &info); err == nil {
					return info.Blocks * 512, true
				}
			}
		}
	}
	return 0, false
}
