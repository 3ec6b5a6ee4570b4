package main

import (
	"net/http"
	"strings"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// download is what was fetched from one path.
type download struct {
	Path     string `json:"path"`     // as in the URL: /nfc/<lease>/<disk>.vmdk or /folder/<vm>/<disk>-flat.vmdk
	Requests int    `json:"requests"` // GETs
	Heads    int    `json:"heads"`
	Bytes    int64  `json:"bytes"` // of bodies, as handed to the connection
}

func (w *watch) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, request *http.Request) {
		switch {
		case request.URL.Path == controlPath:
			w.serveControl(out, request)
		case strings.HasPrefix(request.URL.Path, "/nfc/"):
			w.serveNFC(next, out, request)
		case strings.HasPrefix(request.URL.Path, "/folder/"):
			w.serveFolder(next, out, request)
		default:
			next.ServeHTTP(out, request)
		}
	})
}

// serveNFC serves the disks of a lease as long as it is ready.
func (w *watch) serveNFC(next http.Handler, out http.ResponseWriter, request *http.Request) {
	parts := strings.Split(request.URL.Path, "/")
	if len(parts) != 4 || !w.leaseIsReady(parts[2]) {
		http.NotFound(out, request)
		return
	}
	count := w.counter(request)
	body := &countedBody{ResponseWriter: out, count: count, rate: w.rate(func(s settings) int64 { return s.NFCRate })}
	digester := newDigester()
	if w.current().Manifest != "" {
		body.count = func(p []byte) {
			count(p)
			digester.add(p)
		}
	}
	next.ServeHTTP(body, request)
	if body.status == http.StatusOK && !body.failed && digester.size > 0 {
		w.mu.Lock()
		defer w.mu.Unlock()
		if entry := w.leases[parts[2]]; entry != nil {
			entry.sent[parts[3]] = digester.sum()
		}
	}
}

func (w *watch) leaseIsReady(ref string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	entry := w.leases[ref]
	return entry != nil && entry.State == "ready"
}

// serveFolder asks for a login, which the simulator does not.
func (w *watch) serveFolder(next http.Handler, out http.ResponseWriter, request *http.Request) {
	if w.current().FolderAuth && !w.loggedIn(request) {
		out.Header().Set("WWW-Authenticate", `Basic realm="VMware HTTP server"`)
		http.Error(out, "", http.StatusUnauthorized)
		return
	}
	next.ServeHTTP(&countedBody{
		ResponseWriter: out,
		count:          w.counter(request),
		rate:           w.rate(func(s settings) int64 { return s.FolderRate }),
	}, request)
}

func (w *watch) loggedIn(request *http.Request) bool {
	if username, password, ok := request.BasicAuth(); ok {
		return username == w.username && password == w.password
	}
	cookie, err := request.Cookie(soap.SessionCookieName)
	return err == nil && w.hasSession(cookie.Value)
}

func (w *watch) hasSession(key string) bool {
	for _, session := range w.sessions() {
		if session.Key == key {
			return true
		}
	}
	return false
}

// sessions are those that are logged in.
func (w *watch) sessions() []types.UserSession {
	ctx := w.context()
	// The manager as a session sees it has the list.
	if manager, ok := ctx.Session.Get(w.objects.SessionManager().Self).(*simulator.SessionManager); ok {
		return manager.SessionList
	}
	return nil
}

// dropSessions is what the restart of a vCenter does to them.
func (w *watch) dropSessions() {
	ctx := w.context()
	for _, session := range w.sessions() {
		w.objects.SessionManager().TerminateSession(ctx, &types.TerminateSession{SessionId: []string{session.Key}})
	}
}

// counter notes a request, and returns what adds the bytes of its body.
func (w *watch) counter(request *http.Request) func([]byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	path := request.URL.EscapedPath()
	entry := w.downloads[path]
	if entry == nil {
		entry = &download{Path: path}
		w.downloads[path] = entry
	}
	if request.Method == http.MethodHead {
		entry.Heads++
		return func([]byte) {}
	}
	entry.Requests++
	return func(p []byte) {
		w.mu.Lock()
		defer w.mu.Unlock()
		entry.Bytes += int64(len(p))
	}
}

func (w *watch) rate(of func(settings) int64) func() int64 {
	return func() int64 { return of(w.current()) }
}

func (w *watch) current() settings {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.settings
}
