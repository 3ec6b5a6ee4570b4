package main

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

const manyFolders = 50

// createMany makes VMs that nothing stands behind, spread over folders, for what an inventory of some size costs. They
// are copies of a described VM: to make thousands through the API takes minutes.
func (w *watch) createMany(center *object.Datacenter, like types.ManagedObjectReference, count int) error {
	ctx := w.context()
	made, ok := w.objects.Get(like).(*simulator.VirtualMachine)
	if !ok {
		return fmt.Errorf("a VM has to be described that the %d are made like", count)
	}
	folders, err := center.Folders(context.Background())
	if err != nil {
		return err
	}
	var parent *simulator.Folder
	for i := range count {
		if i%((count+manyFolders-1)/manyFolders) == 0 {
			folder, err := folders.VmFolder.CreateFolder(context.Background(), fmt.Sprintf("many-%05d", i))
			if err != nil {
				return err
			}
			parent = w.objects.Get(folder.Reference()).(*simulator.Folder)
		}
		vm := copyOf(made, fmt.Sprintf("many-%05d", i))
		w.objects.PutEntity(parent, vm)
		w.objects.AppendReference(ctx, parent, &parent.ChildEntity, vm.Self)
	}
	return nil
}

func copyOf(made *simulator.VirtualMachine, name string) *simulator.VirtualMachine {
	vm := &simulator.VirtualMachine{VirtualMachine: made.VirtualMachine}
	vm.Self = types.ManagedObjectReference{}
	vm.Name = name
	config := *made.Config
	config.Name = name
	config.Uuid = uuid.NewString()
	config.InstanceUuid = uuid.NewString()
	vm.Config = &config
	vm.Summary.Config.Name = name
	return vm
}
