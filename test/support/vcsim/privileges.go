package main

import (
	"slices"

	"github.com/vmware/govmomi/simulator"
	"github.com/vmware/govmomi/simulator/esx"
	"github.com/vmware/govmomi/vim25/methods"
	"github.com/vmware/govmomi/vim25/soap"
	"github.com/vmware/govmomi/vim25/types"
)

// holds tells whether the account was left a privilege. The simulator's own has all that there are.
func (w *watch) holds(privilege string) bool {
	if slices.Contains(w.current().DeniedPrivileges, privilege) {
		return false
	}
	for _, role := range esx.RoleList {
		if role.Name == "Admin" && slices.Contains(role.Privilege, privilege) {
			return true
		}
	}
	return false
}

// HasPrivilegeOnEntities answers for the session that asks, and for no other.
func (o *overrides) HasPrivilegeOnEntities(ctx *simulator.Context, req *types.HasPrivilegeOnEntities) soap.HasFault {
	if req.SessionId != ctx.Session.Key {
		return &methods.HasPrivilegeOnEntitiesBody{Fault_: simulator.Fault("", &types.InvalidArgument{InvalidProperty: "sessionId"})}
	}
	res := new(types.HasPrivilegeOnEntitiesResponse)
	for _, entity := range req.Entity {
		found := types.EntityPrivilege{Entity: entity}
		for _, id := range req.PrivId {
			found.PrivAvailability = append(found.PrivAvailability, types.PrivilegeAvailability{PrivId: id, IsGranted: o.watch.holds(id)})
		}
		res.Returnval = append(res.Returnval, found)
	}
	return &methods.HasPrivilegeOnEntitiesBody{Res: res}
}

// FetchUserPrivilegeOnEntities lists what is held.
func (o *overrides) FetchUserPrivilegeOnEntities(ctx *simulator.Context, req *types.FetchUserPrivilegeOnEntities) soap.HasFault {
	res := new(types.FetchUserPrivilegeOnEntitiesResponse)
	for _, entity := range req.Entities {
		found := types.UserPrivilegeResult{Entity: entity}
		for _, role := range esx.RoleList {
			for _, id := range role.Privilege {
				if role.Name == "Admin" && o.watch.holds(id) {
					found.Privileges = append(found.Privileges, id)
				}
			}
		}
		res.Returnval = append(res.Returnval, found)
	}
	return &methods.FetchUserPrivilegeOnEntitiesBody{Res: res}
}
