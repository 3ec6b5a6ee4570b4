package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"

	"github.com/vmware/govmomi"
	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/types"
)

// machine is a VM as a test describes it. Everything but the name and the disks has a default.
type machine struct {
	Name         string `json:"name"`
	UUID         string `json:"uuid"`
	InstanceUUID string `json:"instance_uuid"`
	CPUs         int32  `json:"cpus"`
	MemoryMB     int64  `json:"memory_mb"`
	Firmware     string `json:"firmware"`    // bios or efi
	GuestID      string `json:"guest_id"`    // as vSphere names it, debian12_64Guest
	PowerState   string `json:"power_state"` // poweredOn or poweredOff
	Annotation   string `json:"annotation"`
	Controller   string `json:"controller"` // pvscsi, lsilogic, lsilogic-sas or buslogic
	NICs         []nic  `json:"nics"`
	Disks        []disk `json:"disks"`
}

type nic struct {
	MAC     string `json:"mac"`
	PCISlot int32  `json:"pci_slot"` // ethernetN.pciSlotNumber: 192 is ens192 in the guest
	Network string `json:"network"`
	Type    string `json:"type"` // vmxnet3, e1000 or e1000e
}

type disk struct {
	Name          string `json:"name"` // base name on the datastore, with .vmdk
	CapacityBytes int64  `json:"capacity_bytes"`
	VMDK          string `json:"vmdk"` // streamOptimized image: what an NFC lease serves
	Flat          string `json:"flat"` // raw image: what /folder serves as -flat.vmdk
}

const datastoreName = "LocalDS_0"

// createMachines puts the described VMs into the datacenter through the API, as a client would.
func createMachines(address *url.URL, files []string) error {
	ctx := context.Background()
	client, err := govmomi.NewClient(ctx, address, true)
	if err != nil {
		return err
	}
	defer func() { _ = client.Logout(ctx) }()
	finder := find.NewFinder(client.Client)
	center, err := finder.DefaultDatacenter(ctx)
	if err != nil {
		return err
	}
	finder.SetDatacenter(center)
	for _, file := range files {
		m, err := readMachine(file)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if err := m.create(ctx, finder, center); err != nil {
			return fmt.Errorf("VM %s: %w", m.Name, err)
		}
	}
	return nil
}

func readMachine(file string) (*machine, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	m := &machine{
		CPUs: 2, MemoryMB: 2048, Firmware: "bios", GuestID: "debian12_64Guest", PowerState: "poweredOff", Controller: "pvscsi",
	}
	if err := json.Unmarshal(content, m); err != nil {
		return nil, err
	}
	if m.Name == "" || path.Base(m.Name) != m.Name {
		return nil, fmt.Errorf("not a VM name: %q", m.Name)
	}
	for i := range m.Disks {
		d := &m.Disks[i]
		if d.Name == "" {
			d.Name = m.Name + ".vmdk"
			if i > 0 {
				d.Name = fmt.Sprintf("%s_%d.vmdk", m.Name, i)
			}
		}
		if d.CapacityBytes <= 0 || path.Base(d.Name) != d.Name {
			return nil, fmt.Errorf("disk %d: a capacity in bytes and a plain name are needed", i)
		}
	}
	return m, nil
}

func (m *machine) create(ctx context.Context, finder *find.Finder, center *object.Datacenter) error {
	folders, err := center.Folders(ctx)
	if err != nil {
		return err
	}
	pool, err := finder.ResourcePool(ctx, "DC0_C0/Resources")
	if err != nil {
		return err
	}
	spec, err := m.spec(ctx, finder)
	if err != nil {
		return err
	}
	task, err := folders.VmFolder.CreateVM(ctx, *spec, pool, nil)
	if err != nil {
		return err
	}
	info, err := task.WaitForResult(ctx)
	if err != nil {
		return err
	}
	if err := m.placeDisks(ctx, finder); err != nil {
		return err
	}
	if m.PowerState != "poweredOn" {
		return nil
	}
	power, err := object.NewVirtualMachine(center.Client(), info.Result.(types.ManagedObjectReference)).PowerOn(ctx)
	if err != nil {
		return err
	}
	return power.Wait(ctx)
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
		target := filepath.Join(properties.Summary.Url, m.Name, d.Name)
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
