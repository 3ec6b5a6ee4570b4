package main

import (
	"encoding/json"
	"net/http"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/mo"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// controlPath answers GET with the state below and takes POST {"nfc_bytes_per_second": N}. It asks for no login: it is
// the test's side door, not part of what is simulated.
const controlPath = "/__control"

// leaseTimeout is what the simulator promises in a lease, and does not enforce.
const leaseTimeout = 300 * time.Second

// state is what tests assert on.
type state struct {
	Snapshots         []snapshotState `json:"snapshots"` // those that exist now
	Leases            []leaseState    `json:"leases"`    // all since the start
	Downloads         []download      `json:"downloads"` // all since the start, one entry per path
	Calls             map[string]int  `json:"calls"`     // SOAP method → calls
	NFCBytesPerSecond int64           `json:"nfc_bytes_per_second"`
}

type snapshotState struct {
	VM   string `json:"vm"`
	Name string `json:"name"`
	Ref  string `json:"ref"`
}

type leaseState struct {
	Ref     string `json:"ref"`
	VM      string `json:"vm"`
	State   string `json:"state"` // ready, completed, aborted, or expired: not renewed within the timeout
	touched time.Time
}

type download struct {
	Path     string `json:"path"` // as in the URL: /nfc/<lease>/<disk>.vmdk or /folder/<vm>/<disk>-flat.vmdk
	Requests int    `json:"requests"`
	Bytes    int64  `json:"bytes"` // of bodies, as handed to the connection
}

// watch sees every SOAP call and every download.
type watch struct {
	objects *simulator.Registry

	mu        sync.Mutex
	leases    map[string]*leaseState
	downloads map[string]*download
	calls     map[string]int
	rate      int64
}

func newWatch(objects *simulator.Registry, rate int64) *watch {
	w := &watch{
		objects:   objects,
		leases:    map[string]*leaseState{},
		downloads: map[string]*download{},
		calls:     map[string]int{},
		rate:      rate,
	}
	objects.Handler = w.call
	return w
}

// call is told of every SOAP call before it is made.
func (w *watch) call(ctx *simulator.Context, method *simulator.Method) (mo.Reference, types.BaseMethodFault) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls[method.Name]++
	if method.Name == "ExportSnapshot" && ctx.Session != nil {
		if snapshot, ok := ctx.Map.Get(method.This).(*simulator.VirtualMachineSnapshot); ok {
			// The session's own objects come before those of the inventory, and before what is returned here.
			ctx.Session.Registry.Put(&watchedSnapshot{snapshot, w})
		}
	}
	lease := w.leases[method.This.Value]
	if lease == nil || ctx.Session == nil {
		return nil, nil
	}
	lease.touched = time.Now()
	switch method.Name {
	case "HttpNfcLeaseComplete":
		lease.State = "completed"
	case "HttpNfcLeaseAbort":
		lease.State = "aborted"
	}
	return nil, nil
}

// watchedSnapshot notes the lease that an export hands out.
type watchedSnapshot struct {
	*simulator.VirtualMachineSnapshot
	watch *watch
}

func (s *watchedSnapshot) ExportSnapshot(ctx *simulator.Context, req *types.ExportSnapshot) soap.HasFault {
	ctx.Session.Registry.Remove(ctx, s.Self)
	result := s.VirtualMachineSnapshot.ExportSnapshot(ctx, req)
	if body, ok := result.(*methods.ExportSnapshotBody); ok && body.Res != nil {
		name := ""
		if vm, ok := ctx.Map.Get(s.Vm).(*simulator.VirtualMachine); ok {
			name = vm.Name
		}
		s.watch.mu.Lock()
		defer s.watch.mu.Unlock()
		ref := body.Res.Returnval.Value
		s.watch.leases[ref] = &leaseState{Ref: ref, VM: name, State: "ready", touched: time.Now()}
	}
	return result
}

func (w *watch) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, request *http.Request) {
		switch {
		case request.URL.Path == controlPath:
			w.serveControl(out, request)
		case strings.HasPrefix(request.URL.Path, "/nfc/"):
			next.ServeHTTP(&countedBody{ResponseWriter: out, count: w.counter(request), rate: w.currentRate}, request)
		case strings.HasPrefix(request.URL.Path, "/folder/") && request.Method == http.MethodGet:
			next.ServeHTTP(&countedBody{ResponseWriter: out, count: w.counter(request)}, request)
		default:
			next.ServeHTTP(out, request)
		}
	})
}

// counter notes a request, and returns what adds the bytes of its body.
func (w *watch) counter(request *http.Request) func(int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	path := request.URL.EscapedPath()
	entry := w.downloads[path]
	if entry == nil {
		entry = &download{Path: path}
		w.downloads[path] = entry
	}
	entry.Requests++
	return func(n int) {
		w.mu.Lock()
		defer w.mu.Unlock()
		entry.Bytes += int64(n)
	}
}

func (w *watch) currentRate() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.rate
}

func (w *watch) serveControl(out http.ResponseWriter, request *http.Request) {
	if request.Method == http.MethodPost {
		var change struct {
			Rate *int64 `json:"nfc_bytes_per_second"`
		}
		if err := json.NewDecoder(request.Body).Decode(&change); err != nil || change.Rate == nil {
			http.Error(out, "expected {\"nfc_bytes_per_second\": N}", http.StatusBadRequest)
			return
		}
		w.mu.Lock()
		w.rate = *change.Rate
		w.mu.Unlock()
	}
	out.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(out).Encode(w.state())
}

func (w *watch) state() state {
	s := state{Snapshots: w.snapshots(), Leases: []leaseState{}, Downloads: []download{}, Calls: map[string]int{}}
	w.mu.Lock()
	defer w.mu.Unlock()
	s.NFCBytesPerSecond = w.rate
	for _, lease := range w.leases {
		entry := *lease
		if entry.State == "ready" && time.Since(entry.touched) > leaseTimeout {
			entry.State = "expired"
		}
		s.Leases = append(s.Leases, entry)
	}
	for _, entry := range w.downloads {
		s.Downloads = append(s.Downloads, *entry)
	}
	for name, count := range w.calls {
		s.Calls[name] = count
	}
	sort.Slice(s.Leases, func(i, j int) bool { return s.Leases[i].touched.Before(s.Leases[j].touched) })
	sort.Slice(s.Downloads, func(i, j int) bool { return s.Downloads[i].Path < s.Downloads[j].Path })
	return s
}

func (w *watch) snapshots() []snapshotState {
	found := []snapshotState{}
	ctx := simulator.NewContext()
	ctx.Map = w.objects
	for _, entity := range w.objects.All("VirtualMachine") {
		vm, ok := entity.(*simulator.VirtualMachine)
		if !ok {
			continue
		}
		ctx.WithLock(vm, func() {
			if vm.Snapshot != nil {
				found = collect(found, vm.Name, vm.Snapshot.RootSnapshotList)
			}
		})
	}
	return found
}

func collect(found []snapshotState, vm string, tree []types.VirtualMachineSnapshotTree) []snapshotState {
	for _, node := range tree {
		found = append(found, snapshotState{VM: vm, Name: node.Name, Ref: node.Snapshot.Value})
		found = collect(found, vm, node.ChildSnapshotList)
	}
	return found
}
