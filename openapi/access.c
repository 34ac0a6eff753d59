/* SPDX-License-Identifier: Apache-2.0 */
/* Table of spec.accessCredentials. */
#include "openapi/types.h"

#include "openapi/rows.h"

// clang-format off
TYPE(credential_secret_type, "AccessCredentialSecretSource", "A Secret of the same namespace.",
    STRING("secretName", "Name of the Secret.", REQUIRED));

TYPE(credential_source_type, "AccessCredentialSource", "Where the credential comes from.",
    OBJECT("secret", credential_secret_type, "A Secret of the same namespace."));

TYPE(ssh_agent_users_type, "QemuGuestAgentSSHPublicKeyAccessCredentialPropagation", "Set the keys through the guest agent.",
    STRINGS("users", "Users who get the keys.", REQUIRED, SET));

TYPE(ssh_propagation_type, "SSHPublicKeyAccessCredentialPropagationMethod", "How the keys reach the guest; one of the three.",
    PRESENCE("configDrive", "By cloud-init's config drive."),
    PRESENCE("noCloud", "By cloud-init's NoCloud disk."),
    OBJECT("qemuGuestAgent", ssh_agent_users_type, "By the guest agent, also while the guest runs.", INERT));

TYPE(ssh_credential_type, "SSHPublicKeyAccessCredential", "SSH public keys for users of the guest.",
    OBJECT("propagationMethod", ssh_propagation_type, "How the keys reach the guest.", REQUIRED),
    OBJECT("source", credential_source_type, "Where the keys come from.", REQUIRED));

TYPE(password_propagation_type, "UserPasswordAccessCredentialPropagationMethod", "How the passwords reach the guest.",
    PRESENCE("qemuGuestAgent", "By the guest agent."));

TYPE(password_credential_type, "UserPasswordAccessCredential", "Passwords for users of the guest.",
    OBJECT("propagationMethod", password_propagation_type, "How the passwords reach the guest.", REQUIRED),
    OBJECT("source", credential_source_type, "Where user names and passwords come from.", REQUIRED));

TYPE(access_credential_type, "AccessCredential", "Lets users into the guest; one of the two.",
    OBJECT("sshPublicKey", ssh_credential_type, "SSH public keys."),
    OBJECT("userPassword", password_credential_type, "Passwords of users in the guest.", INERT));
// clang-format on
