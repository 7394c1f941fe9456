package s3admin

import "encoding/json"

// keyPair, user, account and bucket are what the management API answers, as far as it is shown.
type keyPair struct {
	ID     string `json:"AWSAccessKeyId"`
	Secret string `json:"AWSSecretAccessKey"`
}

type user struct {
	Email    string    `json:"UserEmail"`
	ID       string    `json:"UserId"`
	State    string    `json:"State"`
	Owner    string    `json:"OwnerId"`
	Flags    []string  `json:"Flags"`
	Keys     []keyPair `json:"AWSAccessKeys"`
	Accounts []account `json:"Accounts"`
}

type account struct {
	Name   string          `json:"Name"`
	Keys   []keyPair       `json:"AWSAccessKeys"`
	Policy json.RawMessage `json:"Policy"`
}

type grant struct {
	Grantee    string `json:"grantee"`
	Permission string `json:"permission"`
}

type bucket struct {
	Name       string  `json:"name"`
	Created    string  `json:"creation_date"`
	Owner      string  `json:"owner_id"`
	Versioning string  `json:"versioning"`
	ACL        []grant `json:"acl"`
	Size       struct {
		Current int64 `json:"current"`
	} `json:"size"`
}

type bucketList struct {
	Buckets []bucket `json:"Buckets"`
}
