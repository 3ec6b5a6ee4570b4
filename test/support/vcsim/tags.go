package main

import (
	"context"
	"fmt"
	"net/url"
	"strings"

	"github.com/vmware/govmomi/vapi/rest"
	_ "github.com/vmware/govmomi/vapi/simulator" // registers the REST endpoints
	"github.com/vmware/govmomi/vapi/tags"
	"github.com/vmware/govmomi/vim25"
)

// createTags makes the tags that the VMs ask for and attaches them.
func createTags(ctx context.Context, client *vim25.Client, user *url.Userinfo, machines map[string]*simulated) error {
	var manager *tags.Manager
	known := map[string]string{} // category, or category:tag → id
	for _, m := range machines {
		for _, full := range m.Tags {
			category, name, ok := strings.Cut(full, ":")
			if !ok {
				return fmt.Errorf("not a tag: %q", full)
			}
			if manager == nil {
				login := rest.NewClient(client)
				if err := login.Login(ctx, user); err != nil {
					return err
				}
				defer func() { _ = login.Logout(ctx) }()
				manager = tags.NewManager(login)
			}
			if known[category] == "" {
				id, err := manager.CreateCategory(ctx, &tags.Category{Name: category, Cardinality: "MULTIPLE"})
				if err != nil {
					return err
				}
				known[category] = id
			}
			if known[full] == "" {
				id, err := manager.CreateTag(ctx, &tags.Tag{Name: name, CategoryID: known[category]})
				if err != nil {
					return err
				}
				known[full] = id
			}
			if err := manager.AttachTag(ctx, known[full], m.ref); err != nil {
				return err
			}
		}
	}
	return nil
}
