// Command hyper2kvm-vcsim stands for a vCenter in tests and in the demo. It is govmomi's simulator with an inventory of
// our choosing: VMs whose disks are real images, so that a whole guest can be exported, byte for byte. It listens with
// TLS, refuses a wrong password, keeps count of what was asked of it, and does on request what a vCenter does in bad
// hours (see control.go).
//
// It prints one line of JSON when it is ready and runs until SIGTERM, SIGINT, or the end of its standard input: a test
// that dies takes it along.
package main

import (
	"crypto/sha256"
	"encoding/json"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"crypto/tls"

	"github.com/vmware/govmomi/simulator"
)

// ready is the line that tells the starter where the simulator is.
type ready struct {
	URL         string `json:"url"`
	Thumbprint  string `json:"thumbprint"`  // SHA-256 of the certificate, aa:bb:…
	Certificate string `json:"certificate"` // PEM; it is its own CA and valid for 127.0.0.1
	PID         int    `json:"pid"`
}

type options struct {
	listen   string
	username string
	password string
	folder   string
	machines []string
	many     int
	settings settings
}

func main() {
	log.SetFlags(0)
	log.SetPrefix("vcsim: ")
	if err := run(parse()); err != nil {
		log.Fatal(err)
	}
}

func parse() options {
	var o options
	flag.StringVar(&o.listen, "l", "127.0.0.1:0", "address to listen on; port 0 takes a free one")
	flag.StringVar(&o.username, "username", "administrator@vsphere.local", "the only user name that may log in")
	flag.StringVar(&o.password, "password", "", "its password; empty reads VCSIM_PASSWORD")
	flag.StringVar(&o.folder, "dir", "", "folder for the datastores (default: a temporary one); what is made there is removed at the end")
	flag.IntVar(&o.many, "many", 0, "number of VMs like the first, with nothing behind their disks, that are made besides, in 50 folders")
	flag.Int64Var(&o.settings.NFCRate, "nfc-bytes-per-second", 0, "rate of each NFC download; 0 is unlimited")
	flag.Int64Var(&o.settings.FolderRate, "folder-bytes-per-second", 0, "rate of each /folder download; 0 is unlimited")
	flag.BoolVar(&o.settings.FolderAuth, "folder-auth", true, "/folder asks for a session's cookie or the password")
	flag.Float64Var(&o.settings.LeaseTimeout, "lease-timeout", 300, "seconds after which a lease that is not renewed is over")
	flag.StringVar(&o.settings.Manifest, "manifest", "", "digests that leases offer: sha1, sha256, wrong, or none when empty")
	flag.Func("vm", "JSON file that describes a VM (repeatable)", func(file string) error {
		o.machines = append(o.machines, file)
		return nil
	})
	flag.Parse()
	if o.password == "" {
		o.password = os.Getenv("VCSIM_PASSWORD")
	}
	return o
}

func run(o options) error {
	if o.username == "" || o.password == "" {
		return errors.New("a user name and a password are needed")
	}
	if o.folder != "" {
		// The model makes its datastores in a temporary folder of its own.
		if err := os.Setenv("TMPDIR", o.folder); err != nil {
			return err
		}
	}
	machines, err := readMachines(o.machines)
	if err != nil {
		return err
	}
	model := simulator.VPX()
	model.Machine = 0
	model.Datacenter = datacentersOf(machines)
	defer model.Remove()
	if err := model.Create(); err != nil {
		return err
	}
	model.Service.TLS = new(tls.Config)
	model.Service.RegisterEndpoints = true // tags
	model.Service.Listen = &url.URL{Host: o.listen, User: url.UserPassword(o.username, o.password)}
	server := model.Service.NewServer()
	watch := newWatch(model.Map(), o.settings, o.username, o.password)
	server.Config.Handler = watch.wrap(server.Config.Handler)

	if err := watch.createMachines(server.URL, machines, o.many); err != nil {
		return err
	}
	stop := stopSignal()
	if err := announce(server); err != nil {
		return err
	}
	// The server is not closed in order: that would wait for downloads which a test means to break.
	<-stop
	return nil
}

func announce(server *simulator.Server) error {
	certificate := server.Certificate().Raw
	sum := sha256.Sum256(certificate)
	thumbprint := strings.ReplaceAll(fmt.Sprintf("% x", sum), " ", ":")
	address := *server.URL
	address.User = nil
	return json.NewEncoder(os.Stdout).Encode(ready{
		URL:         address.String(),
		Thumbprint:  thumbprint,
		Certificate: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})),
		PID:         os.Getpid(),
	})
}

func stopSignal() <-chan struct{} {
	stop := make(chan struct{})
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	go func() {
		select {
		case <-signals:
		case <-ended:
		}
		close(stop)
	}()
	return stop
}
