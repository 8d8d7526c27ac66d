# SPDX-License-Identifier: Apache-2.0
"""Answers with the order that was asked for."""


def app(event, context):
    return {"statusCode": 200, "body": f"order {event.get('id', 'unknown')}"}
