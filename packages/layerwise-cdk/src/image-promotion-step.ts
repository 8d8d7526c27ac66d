// SPDX-License-Identifier: Apache-2.0
import { Stack } from "aws-cdk-lib";
import type { IProject } from "aws-cdk-lib/aws-codebuild";
import type { IStage } from "aws-cdk-lib/aws-codepipeline";
import type { IPrincipal } from "aws-cdk-lib/aws-iam";
import {
  CodeBuildStep,
  type CodePipelineActionFactoryResult,
  type ICodePipelineActionFactory,
  type ProduceActionOptions,
} from "aws-cdk-lib/pipelines";
import { BuildCompute } from "./build-compute";
import type { ImageStepProps } from "./image-build-step";
import type { LayerwiseImage } from "./layerwise-image";
import { actionProject } from "./private/build-project";
import { runnerCommands } from "./private/build-spec";
import { grantImages } from "./private/image-access";
import { actionScope, addProjectAction, knownPlaceVariables, madeProject, placeVariables } from "./private/image-step";
import { refusal } from "./private/refuse";
import { planPath, runnerPath } from "./private/runner-paths";

/** An image, and the one that it is copied from. */
export interface ImagePromotion {
  /** What was built, in an earlier stage. */
  readonly from: LayerwiseImage;
  /** What is deployed, in this stage. */
  readonly to: LayerwiseImage;
}

/** Properties of an `ImagePromotionStep`. */
export interface ImagePromotionStepProps extends ImageStepProps {
  /** The images to copy, at least one. */
  readonly images: ImagePromotion[];
}

/**
 * Copies images from the repositories of one stage into those of the next: the same digest, nothing is built. Blobs are
 * mounted where the registry can, so that most of them do not move.
 */
export class ImagePromotionStep extends CodeBuildStep implements ICodePipelineActionFactory {
  private readonly promotions: readonly ImagePromotion[];
  private readonly options: ImagePromotionStepProps;
  private made?: IProject;

  public constructor(id: string, props: ImagePromotionStepProps) {
    const { images, cloudAssembly } = props;
    const [first] = images;
    if (first === undefined) {
      throw refusal({ what: `make the step ${id}`, why: "it has no images", fix: "give at least one in images" });
    }
    for (const promotion of images) checkSame(promotion);
    super(id, {
      input: cloudAssembly,
      commands: runnerCommands({
        runner: runnerPath(first.to),
        words: ["promote", "--assembly", ".", ...images.flatMap(({ from, to }) => [planPath(from), planPath(to)])],
      }),
      env: knownPlaceVariables({
        LAYERWISE_ACCOUNT: first.to._place.account ?? Stack.of(first.to).account,
        LAYERWISE_REGION: first.to._place.region ?? Stack.of(first.to).region,
      }),
    });
    this.promotions = images;
    this.options = props;
  }

  /** The digest of the image, of several with commas between: a variable of the pipeline for later steps. */
  public get digest(): string {
    return this.exportedVariable("LAYERWISE_DIGEST");
  }

  /** The project; known when the pipeline is built. */
  public override get project(): IProject {
    return madeProject(this.id, this.made);
  }

  /** The principal of the project; known when the pipeline is built. */
  public override get grantPrincipal(): IPrincipal {
    return this.project.grantPrincipal;
  }

  /** Adds the copy to a stage of AWS CodePipeline. */
  public produceAction(stage: IStage, options: ProduceActionOptions): CodePipelineActionFactoryResult {
    const scope = actionScope(options);
    const [first] = this.promotions;
    const { compute = BuildCompute.lambda(), projectName, encryptionKey, logGroup } = this.options;
    const project = actionProject(scope, "Project", {
      compute,
      commands: runnerCommands({
        runner: `$CODEBUILD_SRC_DIR/${runnerPath((first as ImagePromotion).to)}`,
        words: [
          "promote",
          "--assembly",
          "$CODEBUILD_SRC_DIR",
          ...this.promotions.flatMap(({ from, to }) => [planPath(from), planPath(to)]),
        ],
      }),
      variables: placeVariables(scope),
      description: `copies ${this.promotions.map(({ to }) => to.node.path).join(", ")}`,
      projectName,
      encryptionKey,
      logGroup,
    });
    const images = this.promotions.map(({ to }) => to);
    grantImages(project, scope, { images, sources: this.promotions.map(({ from }) => from) });
    this.made = project;
    return addProjectAction(stage, options, { project, inputs: this.inputs });
  }
}

/** What is promoted must be what would have been built. */
function checkSame({ from, to }: ImagePromotion): void {
  const what = `promote ${from.node.path} to ${to.node.path}`;
  if (from.contentHash !== to.contentHash) {
    throw refusal({
      what,
      why: "they have other inputs: another context, Dockerfile, platform or build argument",
      fix: "give both the same inputs and read what differs between stages when the image runs, or build the second one",
    });
  }
  if (from.imageTag !== to.imageTag) {
    throw refusal({ what, why: `their tags are ${from.imageTag} and ${to.imageTag}`, fix: "give both the same tag" });
  }
}
