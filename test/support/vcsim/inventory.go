package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

const datastoreName = "LocalDS_0"

// createMachines puts the described VMs into their datacenters through the API, as a client would.
func (w *watch) createMachines(address *url.URL, machines []*machine, many int) error {
	ctx := context.Background()
	client, err := govmomi.NewClient(ctx, address, true)
	if err != nil {
		return err
	}
	defer func() { _ = client.Logout(ctx) }()
	var first types.ManagedObjectReference
	for i, m := range machines {
		finder := find.NewFinder(client.Client)
		center, err := finder.Datacenter(ctx, m.Datacenter)
		if err != nil {
			return err
		}
		finder.SetDatacenter(center)
		ref, err := m.create(ctx, finder, center)
		if err != nil {
			return fmt.Errorf("VM %s: %w", m.Name, err)
		}
		if err := w.finish(m, ref); err != nil {
			return fmt.Errorf("VM %s: %w", m.Name, err)
		}
		if i == 0 {
			first = ref
		}
	}
	if err := createTags(ctx, client.Client, address.User, w.machines); err != nil {
		return err
	}
	if many == 0 {
		return nil
	}
	center, err := find.NewFinder(client.Client).Datacenter(ctx, firstDatacenter)
	if err != nil {
		return err
	}
	return w.createMany(center, first, many)
}

func (m *machine) create(
	ctx context.Context, finder *find.Finder, center *object.Datacenter,
) (types.ManagedObjectReference, error) {
	var none types.ManagedObjectReference
	folders, err := center.Folders(ctx)
	if err != nil {
		return none, err
	}
	folder, err := m.findFolder(ctx, folders.VmFolder)
	if err != nil {
		return none, err
	}
	pool, err := finder.ResourcePool(ctx, m.Datacenter+"_C0/Resources")
	if err != nil {
		return none, err
	}
	spec, err := m.spec(ctx, finder)
	if err != nil {
		return none, err
	}
	task, err := folder.CreateVM(ctx, *spec, pool, nil)
	if err != nil {
		return none, err
	}
	info, err := task.WaitForResult(ctx)
	if err != nil {
		return none, err
	}
	ref := info.Result.(types.ManagedObjectReference)
	if err := m.placeDisks(ctx, finder); err != nil {
		return none, err
	}
	vm := object.NewVirtualMachine(center.Client(), ref)
	if m.Template {
		return ref, vm.MarkAsTemplate(ctx)
	}
	if m.PowerState != "poweredOn" {
		return ref, nil
	}
	power, err := vm.PowerOn(ctx)
	if err != nil {
		return none, err
	}
	return ref, power.Wait(ctx)
}

// findFolder makes the folders of a path that are not there yet.
func (m *machine) findFolder(ctx context.Context, at *object.Folder) (*object.Folder, error) {
	for _, name := range strings.FieldsFunc(m.Folder, func(r rune) bool { return r == '/' }) {
		children, err := at.Children(ctx)
		if err != nil {
			return nil, err
		}
		var next *object.Folder
		for _, child := range children {
			if folder, ok := child.(*object.Folder); ok {
				if called, err := folder.ObjectName(ctx); err == nil && called == name {
					next = folder
				}
			}
		}
		if next == nil {
			if next, err = at.CreateFolder(ctx, name); err != nil {
				return nil, err
			}
		}
		at = next
	}
	return at, nil
}

// placeDisks puts the images where the simulator made empty disks. They are linked, not copied: a guest is gigabytes.
func (m *machine) placeDisks(ctx context.Context, finder *find.Finder) error {
	datastore, err := finder.Datastore(ctx, datastoreName)
	if err != nil {
		return err
	}
	var properties mo.Datastore
	if err := datastore.Properties(ctx, datastore.Reference(), []string{"summary.url"}, &properties); err != nil {
		return err
	}
	for _, d := range m.Disks {
		target := filepath.Join(properties.Summary.Url, m.directory, d.Name)
		if err := place(d.VMDK, target); err != nil {
			return err
		}
		if err := place(d.Flat, flatName(target)); err != nil {
			return err
		}
	}
	return nil
}

func flatName(vmdk string) string {
	return vmdk[:len(vmdk)-len(filepath.Ext(vmdk))] + "-flat.vmdk"
}

func place(source, target string) error {
	if source == "" {
		return nil
	}
	source, err := filepath.Abs(source)
	if err != nil {
		return err
	}
	if _, err := os.Stat(source); err != nil {
		return err
	}
	if err := os.Remove(target); err != nil && !os.IsNotExist(err) {
		return err
	}
	return os.Symlink(source, target)
}
