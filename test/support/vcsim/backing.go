package main

import (
	"fmt"

	"github.com/vmware/govmomi/object"
	"github.com/vmware/govmomi/vim25/types"
)

// backing turns the plain backing that the simulator made into the one that a test asked for. The simulator would refuse
// or forget some of these when asked through its API.
func (d *disk) backing(made *types.VirtualDiskFlatVer2BackingInfo) types.BaseVirtualDeviceBackingInfo {
	file := made.VirtualDeviceFileBackingInfo
	mode := made.DiskMode
	if d.Mode != "" {
		mode = d.Mode
	}
	sharing := string(types.VirtualDiskSharingSharingNone)
	if d.Sharing != "" {
		sharing = d.Sharing
	}
	var key *types.CryptoKeyId
	if d.KeyID != "" {
		key = &types.CryptoKeyId{KeyId: d.KeyID, ProviderId: &types.KeyProviderId{Id: "simulated"}}
	}
	switch {
	case d.RDM != "":
		return &types.VirtualDiskRawDiskMappingVer1BackingInfo{
			VirtualDeviceFileBackingInfo: file,
			LunUuid:                      "02000000006006016045502500c1a2b3c4d5e6f7a8564d41582020",
			DeviceName:                   "vml.02000000006006016045502500c1a2b3c4d5e6f7a8564d41582020",
			CompatibilityMode:            d.RDM,
			DiskMode:                     mode,
			Uuid:                         made.Uuid,
			Sharing:                      sharing,
		}
	case d.Sparse:
		return &types.VirtualDiskSeSparseBackingInfo{
			VirtualDeviceFileBackingInfo: file, DiskMode: mode, Uuid: made.Uuid, KeyId: key,
		}
	}
	made.DiskMode = mode
	made.Sharing = sharing
	made.KeyId = key
	if d.Parent != "" {
		parent := *made
		parent.KeyId = nil
		parent.FileName = sibling(file.FileName, d.Parent)
		made.Parent = &parent
	}
	return made
}

// sibling is a file in the same folder of a datastore.
func sibling(file, name string) string {
	var at object.DatastorePath
	at.FromString(file)
	slash := len(at.Path)
	for slash > 0 && at.Path[slash-1] != '/' {
		slash--
	}
	at.Path = at.Path[:slash] + name
	return at.String()
}

// addDetails changes the devices of a VM that was made.
func (m *machine) addDetails(devices object.VirtualDeviceList) (object.VirtualDeviceList, error) {
	found := devices.SelectByType((*types.VirtualDisk)(nil))
	if len(found) != len(m.Disks) {
		return nil, fmt.Errorf("%d disks were made, not %d", len(found), len(m.Disks))
	}
	for i, device := range found {
		base := device.GetVirtualDevice()
		if made, ok := base.Backing.(*types.VirtualDiskFlatVer2BackingInfo); ok {
			base.Backing = m.Disks[i].backing(made)
		}
	}
	if m.TPM {
		devices = append(devices, &types.VirtualTPM{VirtualDevice: types.VirtualDevice{
			Key: 11000, DeviceInfo: &types.Description{Label: "Virtual TPM", Summary: "Virtual TPM"},
		}})
	}
	return devices, nil
}
