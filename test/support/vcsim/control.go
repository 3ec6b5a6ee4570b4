package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/types"
)

// controlPath answers GET with the state (see state.go) and takes POSTs of changes. It asks for no login: it is the test's
// side door, not part of what is simulated.
const controlPath = "/__control"

// settings hold from the next request or lease on.
type settings struct {
	NFCRate      int64   `json:"nfc_bytes_per_second"`    // of each download; 0 is unlimited
	FolderRate   int64   `json:"folder_bytes_per_second"` // of each download; 0 is unlimited
	FolderAuth   bool    `json:"folder_auth"`
	LeaseTimeout float64 `json:"lease_timeout_seconds"` // of leases to come
	Manifest     string  `json:"manifest"`              // sha1, sha256, wrong, or none
	LoginDelay   float64 `json:"login_delay_seconds"`   // before a login is answered
	// DeniedPrivileges are those that the account does not hold. Nothing but the question for privileges minds.
	DeniedPrivileges []string `json:"denied_privileges"`
}

// change is what one POST asks for; each part may be left out.
type change struct {
	Settings     json.RawMessage  `json:"settings"` // those of settings that change
	DropSessions bool             `json:"drop_sessions"`
	VM           *vmChange        `json:"vm"`
	Datastore    *datastoreChange `json:"datastore"`
	File         *fileChange      `json:"file"`
	Fail         *failChange      `json:"fail"`
}

type vmChange struct {
	Name                string  `json:"name"` // all VMs of this name
	ConsolidationNeeded *bool   `json:"consolidation_needed"`
	DeltaBytes          *int64  `json:"delta_bytes"` // written since the newest snapshot
	Tools               *string `json:"tools"`
	GuestShutdown       *string `json:"guest_shutdown"`
}

type datastoreChange struct {
	Name      string `json:"name"` // default LocalDS_0
	FreeBytes int64  `json:"free_bytes"`
}

// fileChange removes a file of a datastore, or puts another in its place.
type fileChange struct {
	Path       string `json:"path"` // web/web-flat.vmdk
	Datacenter string `json:"datacenter"`
	With       string `json:"with"` // absolute; the file is removed when empty
}

// failChange lets the next calls of a method fail with a fault (TaskInProgress, NoPermission, …).
type failChange struct {
	Method string `json:"method"`
	Fault  string `json:"fault"`
	Times  int    `json:"times"`
}

func (w *watch) serveControl(out http.ResponseWriter, request *http.Request) {
	if request.Method == http.MethodPost {
		var c change
		decoder := json.NewDecoder(request.Body)
		decoder.DisallowUnknownFields()
		err := decoder.Decode(&c)
		if err == nil {
			err = w.apply(c)
		}
		if err != nil {
			http.Error(out, err.Error(), http.StatusBadRequest)
			return
		}
	}
	out.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(out).Encode(w.state())
}

func (w *watch) apply(c change) error {
	if len(c.Settings) > 0 {
		w.mu.Lock()
		err := json.Unmarshal(c.Settings, &w.settings)
		w.mu.Unlock()
		if err != nil {
			return err
		}
	}
	if c.DropSessions {
		w.dropSessions()
	}
	if c.Fail != nil {
		w.mu.Lock()
		w.faults[c.Fail.Method] = &injected{fault: c.Fail.Fault, times: max(1, c.Fail.Times)}
		w.mu.Unlock()
	}
	if c.VM != nil {
		if err := w.changeVM(*c.VM); err != nil {
			return err
		}
	}
	if c.Datastore != nil {
		if err := w.changeDatastores(*c.Datastore); err != nil {
			return err
		}
	}
	if c.File != nil {
		return w.changeFile(*c.File)
	}
	return nil
}

func (w *watch) changeVM(c vmChange) error {
	w.mu.Lock()
	var found []types.ManagedObjectReference
	for _, m := range w.machines {
		if m.Name != c.Name {
			continue
		}
		found = append(found, m.ref)
		if c.DeltaBytes != nil {
			m.deltaBytes = *c.DeltaBytes
		}
		if c.GuestShutdown != nil {
			m.GuestShutdown = *c.GuestShutdown
		}
	}
	w.mu.Unlock()
	ctx := w.context()
	for _, ref := range found {
		vm := w.objects.Get(ref).(*simulator.VirtualMachine)
		ctx.WithLock(vm, func() {
			if c.ConsolidationNeeded != nil {
				vm.Runtime.ConsolidationNeeded = *c.ConsolidationNeeded
			}
			if c.Tools != nil {
				vm.Guest.ToolsRunningStatus = toolsRunningStatus(*c.Tools)
			}
		})
	}
	if len(found) == 0 {
		return fmt.Errorf("no VM is named %q", c.Name)
	}
	return nil
}

func toolsRunningStatus(tools string) string {
	if tools == "running" {
		return string(types.VirtualMachineToolsRunningStatusGuestToolsRunning)
	}
	return string(types.VirtualMachineToolsRunningStatusGuestToolsNotRunning)
}

func (w *watch) changeDatastores(c datastoreChange) error {
	if c.Name == "" {
		c.Name = datastoreName
	}
	ctx := w.context()
	found := false
	for _, entity := range w.objects.All("Datastore") {
		store := entity.(*simulator.Datastore)
		if store.Name == c.Name {
			found = true
			ctx.WithLock(store, func() { store.Summary.FreeSpace = c.FreeBytes })
		}
	}
	if !found {
		return fmt.Errorf("no datastore is named %q", c.Name)
	}
	return nil
}

func (w *watch) changeFile(c fileChange) error {
	if c.Datacenter == "" {
		c.Datacenter = firstDatacenter
	}
	for _, entity := range w.objects.All("Datastore") {
		store := entity.(*simulator.Datastore)
		// The model's datastores lie in folders that are called after their datacenter.
		if store.Name != datastoreName || !strings.Contains(store.Summary.Url, c.Datacenter) {
			continue
		}
		target := path.Join(store.Summary.Url, c.Path)
		if _, err := os.Lstat(target); err != nil {
			return err
		}
		if c.With == "" {
			return os.Remove(target)
		}
		return place(c.With, target)
	}
	return fmt.Errorf("no datastore in %s", c.Datacenter)
}
