package gw

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"holdfast/gw/account"
	"holdfast/gw/acl"
	"holdfast/gw/admin"
	"holdfast/gw/s3api"
	"holdfast/volume"
)

// users are [Credentials] that package account keeps.
type users struct{ *account.Store }

// NewCredentials returns the credentials of the users in a store.
func NewCredentials(s *account.Store) Credentials { return users{s} }

// Identity implements [Credentials].
func (u users) Identity(ctx context.Context, accessKey string) (Identity, bool, error) {
	id, ok, err := u.Store.Identity(ctx, accessKey)
	return Identity{User: id.User, Secret: id.Secret, Name: id.Email, Service: id.Service, Limit: id.Policy, System: id.System}, ok, err
}

// managed makes a handler of a management request. Only system users may, whatever else has been decided.
func managed(serve func(*admin.API, context.Context, *admin.Call) error) handler {
	return func(q *request) error {
		if !q.mayAll(nil) {
			return errDenied
		}
		if q.g.admin == nil {
			return s3api.E(s3api.NotImplemented)
		}
		call := &admin.Call{
			Query:    q.query,
			Document: func() ([]byte, error) { return q.document(q.op) },
			W:        &managementAnswer{q: q},
		}
		if err := serve(q.g.admin, q.ctx, call); err != nil || q.w.begun {
			return err
		}
		q.setRequestTime()
		if q.r.Method == http.MethodDelete {
			q.w.WriteHeader(http.StatusNoContent)
		} else {
			q.w.Header().Set("Content-Length", "0")
			q.w.WriteHeader(http.StatusOK)
		}
		return nil
	}
}

// managementAnswer writes the JSON of an answer.
type managementAnswer struct{ q *request }

// Write implements [io.Writer].
func (a *managementAnswer) Write(p []byte) (int, error) {
	if !a.q.w.begun {
		a.q.w.Header().Set("Content-Type", "application/json")
		a.q.setRequestTime()
	}
	return a.q.w.Write(p)
}

// setRequestTime tells how long the answer took, as the management API does.
func (q *request) setRequestTime() {
	q.w.Header().Set("X-Amz-Req-Time-Micros", strconv.FormatInt(time.Since(q.begun).Microseconds(), 10))
}

// refuseManagement adds to an error what the management API's clients look for.
func (q *request) refuseManagement(sent *s3api.Error) {
	q.setRequestTime()
	message := sent.Message
	if message == "" {
		message = sent.Code.Message()
	}
	q.w.Header().Set("X-Amz-Err-Message", headerText(message))
}

// headerText makes a message fit for a header.
func headerText(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c < ' ' || c > '~' {
			b[i] = '?'
		}
	}
	return string(b)
}

// grants is the access control list of a bucket for the management API.
func (g *Gateway) grants(b *volume.Bucket) ([]admin.Grant, error) {
	a, err := g.accessOf(b)
	if err != nil {
		return nil, err
	}
	shown := make([]admin.Grant, len(a.list))
	for i, grant := range a.list {
		shown[i] = admin.Grant{Grantee: grant.User, Permission: grant.Right.String()}
		if grant.Group != acl.NoGroup {
			shown[i].Grantee = grant.Group.URI()
		}
	}
	return shown, nil
}
