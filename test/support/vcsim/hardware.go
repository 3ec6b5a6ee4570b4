package main

import (
	"context"
	"fmt"

	"github.com/vmware/govmomi/find"
	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/types"
)

// spec is the VM's configuration, with the details that a real vCenter reports and an exporter reads.
func (m *machine) spec(ctx context.Context, finder *find.Finder) (*types.VirtualMachineConfigSpec, error) {
	var devices object.VirtualDeviceList
	controller, err := devices.CreateSCSIController(m.Controller)
	if err != nil {
		return nil, err
	}
	devices = append(devices, controller)
	for i, d := range m.Disks {
		devices = append(devices, m.newDisk(devices, controller.(types.BaseVirtualController), i, d))
	}
	var extra []types.BaseOptionValue
	for i, n := range m.NICs {
		card, err := newNIC(ctx, finder, devices, i, n)
		if err != nil {
			return nil, err
		}
		devices = append(devices, card)
		if n.PCISlot != 0 {
			key := fmt.Sprintf("ethernet%d.pciSlotNumber", i)
			extra = append(extra, &types.OptionValue{Key: key, Value: fmt.Sprint(n.PCISlot)})
		}
	}
	changes, err := devices.ConfigSpec(types.VirtualDeviceConfigSpecOperationAdd)
	if err != nil {
		return nil, err
	}
	return &types.VirtualMachineConfigSpec{
		Name:         m.Name,
		Uuid:         m.UUID,
		InstanceUuid: m.InstanceUUID,
		NumCPUs:      m.CPUs,
		MemoryMB:     m.MemoryMB,
		Firmware:     m.Firmware,
		GuestId:      m.GuestID,
		Annotation:   m.Annotation,
		Files:        &types.VirtualMachineFileInfo{VmPathName: fmt.Sprintf("[%s] %s/%s.vmx", datastoreName, m.directory, m.Name)},
		DeviceChange: changes,
		ExtraConfig:  extra,
	}, nil
}

func (m *machine) newDisk(
	devices object.VirtualDeviceList, controller types.BaseVirtualController, index int, d disk,
) *types.VirtualDisk {
	device := &types.VirtualDisk{
		CapacityInBytes: d.CapacityBytes,
		CapacityInKB:    d.CapacityBytes / 1024,
		VirtualDevice: types.VirtualDevice{
			Key:        devices.NewKey(),
			DeviceInfo: &types.Description{Label: fmt.Sprintf("Hard disk %d", index+1)},
			Backing: &types.VirtualDiskFlatVer2BackingInfo{
				DiskMode:        string(types.VirtualDiskModePersistent),
				ThinProvisioned: types.NewBool(true),
				VirtualDeviceFileBackingInfo: types.VirtualDeviceFileBackingInfo{
					FileName: fmt.Sprintf("[%s] %s/%s", datastoreName, m.directory, d.Name),
				},
			},
		},
	}
	devices.AssignController(device, controller)
	return device
}

func newNIC(
	ctx context.Context, finder *find.Finder, devices object.VirtualDeviceList, index int, n nic,
) (types.BaseVirtualDevice, error) {
	if n.Network == "" {
		n.Network = "VM Network"
	}
	if n.Type == "" {
		n.Type = "vmxnet3"
	}
	network, err := finder.Network(ctx, n.Network)
	if err != nil {
		return nil, err
	}
	backing, err := network.EthernetCardBackingInfo(ctx)
	if err != nil {
		return nil, err
	}
	device, err := devices.CreateEthernetCard(n.Type, backing)
	if err != nil {
		return nil, err
	}
	card := device.(types.BaseVirtualEthernetCard).GetVirtualEthernetCard()
	card.Key = devices.NewKey()
	card.DeviceInfo = &types.Description{Label: fmt.Sprintf("Network adapter %d", index+1)}
	if n.MAC != "" {
		card.AddressType = string(types.VirtualEthernetCardMacTypeManual)
		card.MacAddress = n.MAC
	}
	if n.PCISlot != 0 {
		card.SlotInfo = &types.VirtualDevicePciBusSlotInfo{PciSlotNumber: n.PCISlot}
	}
	return device, nil
}
