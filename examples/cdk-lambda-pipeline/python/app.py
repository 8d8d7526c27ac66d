# SPDX-License-Identifier: Apache-2.0
"""The pipeline of ../src, in Python."""

from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_codecommit as codecommit
from aws_cdk import aws_lambda as lambda_
from aws_cdk import pipelines
from constructs import Construct
from layerwise_cdk import ImageBuilds, ImageRepository, LayerwiseImage

DIRECTORY = str(Path(__file__).parent.parent / "image")


class OrdersStage(cdk.Stage):
    """One deployment of the function: a stack for the repository, and one for what runs from it."""

    def __init__(self, scope: Construct, id: str, **kwargs) -> None:
        super().__init__(scope, id, **kwargs)
        repository = ImageRepository(
            cdk.Stack(self, "Repository"),
            "Orders",
            repository_name=f"orders-{id.lower()}",
            floating_tags=["latest"],
        )

        stack = cdk.Stack(self, "Function")
        base = self.node.try_get_context("baseImage")
        image = LayerwiseImage(
            stack,
            "Image",
            directory=DIRECTORY,
            repository=repository,
            floating_tags=["latest"],
            build_args={"BASE": base} if base else None,
        )
        lambda_.DockerImageFunction(
            stack,
            "Orders",
            code=image.to_lambda_code(),
            memory_size=512,
            timeout=cdk.Duration.seconds(30),
        )


class PipelineStack(cdk.Stack):
    """Source, synth, self-mutation, and two stages: the second gets the image that the first has built."""

    def __init__(self, scope: Construct, id: str, **kwargs) -> None:
        super().__init__(scope, id, **kwargs)
        repository = codecommit.Repository.from_repository_name(self, "Source", "orders")
        source = pipelines.CodePipelineSource.code_commit(repository, "main")
        pipeline = pipelines.CodePipeline(
            self,
            "Pipeline",
            synth=pipelines.ShellStep(
                "Synth",
                input=source,
                commands=[
                    "cd python",
                    "pip install -r requirements.txt",
                    "npx aws-cdk@2.1148.1 synth --output ../cdk.out",
                ],
                primary_output_directory="cdk.out",
            ),
        )
        cloud_assembly = pipeline.cloud_assembly_file_set

        dev = OrdersStage(self, "Dev")
        pipeline.add_stage(
            dev,
            stack_steps=ImageBuilds.stack_steps(dev, source=source, cloud_assembly=cloud_assembly),
        )

        prod = OrdersStage(self, "Prod")
        pipeline.add_stage(
            prod,
            pre=[pipelines.ManualApprovalStep("Release")],
            stack_steps=ImageBuilds.promotion_steps(prod, from_=dev, cloud_assembly=cloud_assembly),
        )


app = cdk.App()
PipelineStack(app, "OrdersPipeline")
app.synth()
