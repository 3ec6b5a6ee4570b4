package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path"
	"regexp"
	"strconv"
)

// machine is a VM as a test describes it. Everything but the name and the disks has a default.
type machine struct {
	Name          string   `json:"name"`
	Datacenter    string   `json:"datacenter"` // DC0, DC1, …; as many are made as the VMs need
	Folder        string   `json:"folder"`     // beneath the datacenter's VM folder: web/old
	UUID          string   `json:"uuid"`
	InstanceUUID  string   `json:"instance_uuid"`
	CPUs          int32    `json:"cpus"`
	MemoryMB      int64    `json:"memory_mb"`
	Firmware      string   `json:"firmware"`    // bios or efi
	GuestID       string   `json:"guest_id"`    // as vSphere names it, debian12_64Guest
	PowerState    string   `json:"power_state"` // poweredOn or poweredOff
	Template      bool     `json:"template"`
	Tools         string   `json:"tools"`          // running, notRunning or notInstalled
	GuestShutdown string   `json:"guest_shutdown"` // works (needs running tools), or ignored: the guest never ends
	TPM           bool     `json:"tpm"`
	Tags          []string `json:"tags"` // category:tag
	Annotation    string   `json:"annotation"`
	Controller    string   `json:"controller"` // pvscsi, lsilogic, lsilogic-sas or buslogic
	NICs          []nic    `json:"nics"`
	Disks         []disk   `json:"disks"`

	// directory on the datastore: the name, unless another VM has it.
	directory string
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
	VMDK          string `json:"vmdk"`       // streamOptimized image: what an NFC lease serves
	Flat          string `json:"flat"`       // raw image: what /folder serves as -flat.vmdk
	UsedBytes     int64  `json:"used_bytes"` // what layoutEx tells of it; default: the blocks of the flat image
	Mode          string `json:"mode"`       // persistent, independent_persistent, independent_nonpersistent, …
	RDM           string `json:"rdm"`        // physicalMode or virtualMode
	Sharing       string `json:"sharing"`    // sharingMultiWriter
	KeyID         string `json:"key_id"`     // of the key that it is encrypted with
	Parent        string `json:"parent"`     // base name of the disk that it is a delta of
	Sparse        bool   `json:"sparse"`     // seSparse rather than flat
}

const firstDatacenter = "DC0"

func readMachines(files []string) ([]*machine, error) {
	taken := map[string]int{}
	var machines []*machine
	for _, file := range files {
		m, err := readMachine(file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		m.directory = m.Name
		key := m.Datacenter + "/" + m.Name
		if n := taken[key]; n > 0 {
			m.directory = fmt.Sprintf("%s_%d", m.Name, n)
		}
		taken[key]++
		machines = append(machines, m)
	}
	return machines, nil
}

func readMachine(file string) (*machine, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	m := &machine{
		CPUs: 2, MemoryMB: 2048, Firmware: "bios", GuestID: "debian12_64Guest", PowerState: "poweredOff", Controller: "pvscsi",
		Datacenter: firstDatacenter,
	}
	if err := json.Unmarshal(content, m); err != nil {
		return nil, err
	}
	if m.Name == "" || path.Base(m.Name) != m.Name {
		return nil, fmt.Errorf("not a VM name: %q", m.Name)
	}
	if datacenterIndex(m.Datacenter) < 0 {
		return nil, fmt.Errorf("not a datacenter: %q", m.Datacenter)
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

var datacenterName = regexp.MustCompile(`^DC(\d)$`)

func datacenterIndex(name string) int {
	match := datacenterName.FindStringSubmatch(name)
	if match == nil {
		return -1
	}
	index, _ := strconv.Atoi(match[1])
	return index
}

// datacentersOf is how many the model has to make.
func datacentersOf(machines []*machine) int {
	count := 1
	for _, m := range machines {
		if needed := datacenterIndex(m.Datacenter) + 1; needed > count {
			count = needed
		}
	}
	return count
}
