// Package admin is the management API: requests on the S3 endpoint for users, their keys and service accounts, and for buckets
// whoever owns them. Its requests and answers are those of the orchestration API that billing systems and control panels of hosting
// companies speak (resources ostor-users, ostor-accounts, ostor-buckets), with a few calls more in the same style; docs/admin.md
// describes each.
//
// Answers are JSON and correct at any size: lists are written page by page and never held whole. Parameters that a request does not
// have are refused, so that a typing error does not widen what it is about.
//
// The package neither authenticates nor authorises: whoever calls it has found out that a system user asks.
package admin
